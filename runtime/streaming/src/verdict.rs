//! How a program ended, as clients of each generation are told.

use serde_json::json;

/// What is said on the error channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The program ended well.
    Success,
    /// The program ended with this code, which is not 0. The text says of what.
    ExitCode(i32, String),
    /// The program did not run, or not to its end; the text says why.
    Failure(String),
}

impl Verdict {
    /// The `Status` that clients since `v4.channel.k8s.io` read.
    pub(crate) fn status(&self) -> Vec<u8> {
        let status = match self {
            Self::Success => json!({"metadata": {}, "status": "Success"}),
            Self::ExitCode(code, _) => json!({
                "metadata": {},
                "status": "Failure",
                "message": self.message(),
                "reason": "NonZeroExitCode",
                "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]},
            }),
            Self::Failure(why) => json!({
                "metadata": {},
                "status": "Failure",
                "message": self.message(),
                "reason": "InternalError",
                "details": {"causes": [{"message": why}]},
                "code": 500,
            }),
        };
        status.to_string().into_bytes()
    }

    /// The text that older clients show; nothing where all is well.
    pub(crate) fn text(&self) -> Option<Vec<u8>> {
        (*self != Self::Success).then(|| self.message().into_bytes())
    }

    fn message(&self) -> String {
        match self {
            Self::Success => String::new(),
            Self::ExitCode(_, of) => format!("command terminated with non-zero exit code: {of}"),
            Self::Failure(why) => format!("Internal error occurred: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn an_exit_code_is_a_cause_of_its_own() {
        let verdict = Verdict::ExitCode(3, "error executing command [false], exit code 3".to_owned());
        let status: Value = serde_json::from_slice(&verdict.status()).expect("JSON");
        assert_eq!(status["reason"], "NonZeroExitCode");
        assert_eq!(status["details"]["causes"], json!([{"reason": "ExitCode", "message": "3"}]));
        let text = String::from_utf8(verdict.text().expect("text")).expect("UTF-8");
        assert_eq!(text, "command terminated with non-zero exit code: error executing command [false], exit code 3");
    }

    #[test]
    fn success_is_said_to_new_clients_only() {
        assert_eq!(Verdict::Success.status(), br#"{"metadata":{},"status":"Success"}"#);
        assert_eq!(Verdict::Success.text(), None);
    }
}
