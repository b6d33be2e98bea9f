//! What goes wrong between a chart's files and its objects.

use super::engine::TemplateError;
use crate::domain::Problem;

/// Why a chart cannot be loaded or rendered. The texts are Helm's where it has one, so that they can be looked up.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// The archive is none, or has what no chart may have.
    #[error("{0}")]
    Archive(String),
    /// A file of the chart is wrong, or missing.
    #[error("{0}")]
    File(String),
    /// The chart is sound, but cannot be deployed so: a missing dependency, the version of Kubernetes.
    #[error("{0}")]
    Refused(String),
    /// The values do not fit together, or do not fit the chart's schema.
    #[error("{0}")]
    Values(String),
    /// A template fails.
    #[error("{0}")]
    Template(#[from] Box<TemplateError>),
    /// What a template rendered is no object.
    #[error("{0}")]
    Manifest(String),
}

impl ChartError {
    /// For people; `chart` is the chart's name.
    pub fn problem(&self, chart: &str) -> Problem {
        let (what, next) = match self {
            Self::Archive(_) => {
                ("cannot be unpacked", "fetch it again, or ask its author for a sound archive")
            }
            Self::File(_) => ("cannot be loaded", "correct the chart's file"),
            Self::Refused(_) => ("cannot be deployed", "choose another version of the chart"),
            Self::Values(_) => ("refuses its values", "correct the values at the named path"),
            Self::Template(_) | Self::Manifest(_) => {
                ("cannot be rendered", "correct the chart, or the values that lead there")
            }
        };
        Problem::new(format!("The chart {chart} {what}"), self.to_string(), next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_what_why_and_what_next() {
        let problem = ChartError::Values("web:\n- replicas: wrong".to_owned()).problem("web-1.0.0");
        assert_eq!(problem.what, "The chart web-1.0.0 refuses its values");
        assert_eq!(problem.why, "web:\n- replicas: wrong");
        assert!(!problem.next.is_empty());
    }
}
