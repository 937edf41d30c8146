//! What a Service can ask for and does not get, each named in a `Warning:` header.

use serde_json::Value;

use crate::kinds::access::Look;

/// One line for each field that has no effect, or not the whole of it.
pub fn warnings(service: &Value) -> Vec<String> {
    let cases = [
        (
            service.text("spec.type") == "LoadBalancer",
            "spec.type: not supported by Sampan: a LoadBalancer gets no external address; its cluster IP and node \
             ports are served",
        ),
        (
            service.text("spec.sessionAffinity") == "ClientIP",
            "spec.sessionAffinity: not supported by Sampan, ignored: each connection goes to any endpoint",
        ),
        (
            !service.items("spec.externalIPs").is_empty(),
            "spec.externalIPs: not supported by Sampan outside of pods: the node does not listen there",
        ),
    ];
    cases.into_iter().filter(|(asked, _)| *asked).map(|(_, words)| words.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_served_is_said() {
        let plain = json!({"spec": {"type": "ClusterIP", "sessionAffinity": "None", "ports": [{"port": 80}]}});
        assert_eq!(warnings(&plain), Vec::<String>::new());
        let much =
            json!({"spec": {"type": "LoadBalancer", "sessionAffinity": "ClientIP", "externalIPs": ["192.0.2.1"]}});
        let fields: Vec<_> =
            warnings(&much).into_iter().filter_map(|line| Some(line.split(':').next()?.to_owned())).collect();
        assert_eq!(fields, ["spec.type", "spec.sessionAffinity", "spec.externalIPs"]);
    }
}
