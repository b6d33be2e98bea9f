//! What can be done with a route, wherever it is shown.

use crate::domain::World;
use crate::domain::object::Detail;
use crate::domain::route::RouteView;
use crate::domain::world::{Application, LogTarget};
use crate::ui::event::Effect;
use crate::ui::keymap::Command;
use crate::ui::screen::{ApplicationKey, Context, Step, Tab};
use crate::ui::toast::Toast;

/// Runs a command that is about a route; false when it is about something else.
pub fn on_route(
    command: Command,
    (application, route): (&Application, &RouteView),
    context: &mut Context<'_>,
) -> bool {
    match command {
        Command::CopyUrl => context.copy(&route.url),
        Command::CopyName => context.copy(&route.host),
        Command::ShowQr => context.steps.push(Step::ShowQr(route.url.clone())),
        Command::TestRoute => test(route, context),
        Command::ShowLogs => show_logs(application, route, context),
        other => {
            let Some(tab) = Tab::of(other) else { return false };
            context.steps.push(Step::ShowApplication(ApplicationKey::of(application), tab));
        }
    }
    true
}

/// Tests a route now; a message tells what was found.
fn test(route: &RouteView, context: &mut Context<'_>) {
    let id = context.request();
    context.effects.push(Effect::Probe(id, route.url.clone()));
    context.steps.push(Step::Tell(id));
    context.say(Toast::hint(format!("Testing {} …", route.host)));
}

/// Follows the log of what answers: the first container of the component behind the route's service.
fn show_logs(application: &Application, route: &RouteView, context: &mut Context<'_>) {
    let target = backend(application, route, context.world);
    context.steps.push(Step::ShowApplication(ApplicationKey::of(application), Tab::Logs));
    context.steps.extend(target.map(Step::Follow));
}

/// The component behind a route, as its driver says.
pub fn component<'a>(application: &Application, route: &RouteView, world: &'a World) -> Option<&'a str> {
    let reference = &application.deployment.draft.driver;
    let driver = world.drivers.iter().find(|driver| driver.reference == *reference)?;
    let service = driver.spec.services.iter().find(|service| service.name == route.service)?;
    Some(service.component.as_str()).filter(|name| !name.is_empty())
}

fn backend(application: &Application, route: &RouteView, world: &World) -> Option<LogTarget> {
    let name = component(application, route, world)?;
    let part = application.components.iter().find(|part| part.name == name)?;
    part.pods.iter().find_map(|pod| match &pod.detail {
        Detail::Pod(detail) => detail.containers.first().map(|container| LogTarget {
            namespace: pod.key.namespace.clone(),
            pod: pod.key.name.clone(),
            container: container.name.clone(),
        }),
        _ => None,
    })
}
