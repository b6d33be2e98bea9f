//! Labels, annotations and names that Styrmin writes on objects.

/// The field manager of every server-side apply, and the value of `app.kubernetes.io/managed-by`.
pub const MANAGER: &str = "styrmin";
/// The field manager of what an action changes for a while: the next apply takes it back.
pub const ACTION_MANAGER: &str = "styrmin-action";
/// The API group of the custom resource.
pub const GROUP: &str = "styrmin.io";
/// Kubernetes' own label that says which tool manages an object.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The environment that an object belongs to.
pub const ENVIRONMENT: &str = "styrmin.io/environment";
/// The deployment that an object belongs to: the inventory, as it stands on the objects.
pub const DEPLOYMENT: &str = "styrmin.io/deployment";
/// When a value was last written into the Secret of a deployment's secret parameters.
pub const WRITTEN: &str = "styrmin.io/written";
/// The finalizer of a `StyrminDeployment`.
pub const FINALIZER: &str = "styrmin.io/cleanup";
/// Set by the sandbox's kubelet on a pod whose image it does not know: it runs no process.
pub const SIMULATED: &str = "sandbox.styrmin.io/simulated";
/// The moment at which an object of a chart is applied, as a hook: it is no part of what should run.
pub const CHART_HOOK: &str = "styrmin.io/chart-hook";
/// Set on objects that stay when their deployment goes, or does not have them any more, because the chart says so.
pub const KEPT: &str = "styrmin.io/kept";
/// The operation that made an object for one of its steps.
pub const OPERATION: &str = "styrmin.io/operation";
/// The position of that step in its plan.
pub const STEP: &str = "styrmin.io/step";
/// The operation that gave a workload another number of pods for a while, and how many it had before: `12.3`.
pub const SCALED: &str = "styrmin.io/scaled";

/// The environment that an object with these labels is of: our mark is on it, and it is of none of its deployments.
pub fn environment_of<'a>(label: impl Fn(&str) -> Option<&'a str>) -> Option<&'a str> {
    let is_its = label(MANAGED_BY) == Some(MANAGER) && label(DEPLOYMENT).is_none();
    label(ENVIRONMENT).filter(|_| is_its)
}
