//! The bar at the top: product, cluster, link, where the engine runs if not here, counts by health; and the banner when the link is lost.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::domain::world::{EngineView, Installed, Link};
use crate::domain::{Health, OperationState, World};
use crate::ui::layout::{self, Layout};
use crate::ui::look::Look;
use crate::ui::model::Model;
use crate::ui::theme::{Role, health_role};
use crate::ui::widgets::paint;

/// Draws the header and the banner.
pub fn draw(model: &Model, layout: Layout, buffer: &mut Buffer) {
    let look = model.look();
    paint::tint(buffer, layout.header, look.style(Role::Bar));
    let crowded = is_crowded(&model.world, layout.header.width);
    let right = counts(&model.world, &look, crowded || layout.header.width < 60);
    let right_width = u16::try_from(right.width()).unwrap_or(u16::MAX).min(layout.header.width / 2);
    let left_width = layout.header.width.saturating_sub(right_width + 2);
    let left = left(&model.world, &look, layout.header.width);
    paint::line(buffer, Rect { width: left_width, ..layout.header }, left);
    let place = Rect { x: layout.header.right() - right_width, width: right_width, ..layout.header };
    paint::line(buffer, place, right);
    if let Link::Stale { problem, .. } = &model.world.cluster.link {
        let why = if problem.why.is_empty() { &problem.what } else { &problem.why };
        let text = format!("▲ No answer from the cluster: {why}");
        let spans = vec![look.span(Role::Warn, text), look.span(Role::Muted, format!("  {}", problem.next))];
        paint::line(buffer, layout::inset(layout.banner, 1), Line::from(spans));
    }
}

/// The product where there is room for its name, the cluster, its link.
fn left(world: &World, look: &Look<'_>, width: u16) -> Line<'static> {
    let cluster = &world.cluster;
    let crowded = is_crowded(world, width);
    let mut spans = Vec::new();
    if width >= 50 && !crowded {
        spans.extend([look.span(Role::Title, " styrmin "), Span::raw(" ")]);
    }
    if let Some(record) = &cluster.record {
        spans.push(look.span(Role::Cluster, format!(" {} ", record.name)));
        spans.push(Span::raw("  "));
    }
    spans.extend(link(&cluster.link, look));
    if cluster.installed == Installed::No {
        spans.push(look.span(Role::Warn, "  ○ not installed"));
    }
    match &world.engine {
        EngineView::Elsewhere { holder, .. } => {
            spans.push(look.span(Role::Muted, "  engine: "));
            spans.push(look.span(Role::Text, holder.clone()));
        }
        EngineView::None => spans.push(look.span(Role::Warn, "  ○ no engine")),
        EngineView::Here { .. } | EngineView::Unknown => {}
    }
    if let Some(version) = cluster.version.as_ref().filter(|_| !crowded) {
        spans.push(look.span(Role::Muted, format!("  {version}")));
    }
    Line::from(spans)
}

/// Whether where the engine runs needs the room of other things.
fn is_crowded(world: &World, width: u16) -> bool {
    width < 100 && matches!(world.engine, EngineView::Elsewhere { .. })
}

fn link(link: &Link, look: &Look<'_>) -> Vec<Span<'static>> {
    match link {
        Link::Connecting => vec![look.span(Role::Progress, format!("{} connecting", look.spinner()))],
        Link::Live => vec![look.span(Role::Ok, "●"), look.span(Role::Muted, " live")],
        Link::Stale { since, .. } => vec![look.span(Role::Warn, format!("▲ as of {}", look.ago(*since)))],
    }
}

/// How many operations run, and how many applications there are in each health, worst first; what there is none of is left
/// out.
fn counts(world: &World, look: &Look<'_>, short: bool) -> Line<'static> {
    let mut spans = Vec::new();
    let in_state = |state| world.operations.iter().filter(|view| view.operation.state == state).count();
    let (running, queued) = (in_state(OperationState::Running), in_state(OperationState::Queued));
    if running > 0 {
        spans.push(look.span(
            Role::Progress,
            format!("{} {running} {}", look.spinner(), if short { "ops" } else { "running" }),
        ));
        spans.push(Span::raw(if short { "  " } else { "   " }));
    } else if queued > 0 {
        spans.push(look.span(Role::Muted, format!("○ {queued} queued")));
        spans.push(Span::raw("   "));
    }
    for health in Health::ALL.into_iter().rev() {
        let count = world.applications.iter().filter(|application| application.health() == health).count();
        if count > 0 {
            spans.push(look.span(health_role(health), format!("{} {count}", look.glyph(health))));
            spans.push(Span::raw("  "));
        }
    }
    spans.pop();
    spans.push(Span::raw(" "));
    Line::from(spans)
}
