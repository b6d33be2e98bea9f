//! Rules that cost too much end, and the write fails.

use super::*;

fn numbers(count: usize) -> Value {
    json!({"l": vec![1; count]})
}

fn fields() -> Value {
    json!({"l": {"type": "array", "items": {"type": "integer"}}, "s": {"type": "string"}})
}

#[test]
fn a_rule_that_loops_too_often_ends() {
    let rule = "self.l.all(a, self.l.all(b, self.l.all(c, a + b + c > 0)))";
    assert_eq!(
        fault(&fields(), rule, &numbers(200)),
        "spec: Invalid value: \"object\": 'operation cancelled: actual cost limit exceeded': \
         no further validation rules will be run due to call cost exceeds limit for rule: broken"
    );
    assert!(holds(&fields(), rule, &numbers(20)));
}

#[test]
fn texts_and_lists_cannot_explode() {
    let long = "x".repeat(200_000);
    for rule in [
        "self.s.replace('', self.s).size() > 0",
        "self.s.split('').map(c, self.s).join() != ''",
        "self.s.split('').map(c, self.s.split('')).size() > 0",
        "self.s.split('').exists(c, self.s.matches('(x+x+)+y'))",
        "[[[[[[1,1,1,1,1,1,1,1,1,1]]]]]].map(a, [a,a,a,a,a,a,a,a,a,a]).map(a, [a,a,a,a,a,a,a,a,a,a]).map(a, [a,a,a,a,a,a,a,a,a,a])\
         .map(a, [a,a,a,a,a,a,a,a,a,a]).map(a, [a,a,a,a,a,a,a,a,a,a]).map(a, [a,a,a,a,a,a,a,a,a,a]).all(a, '%s'.format([a]) == '')",
    ] {
        let found = fault(&fields(), rule, &json!({"s": long}));
        assert!(
            found.contains("actual cost limit exceeded"),
            "{}: {}",
            &rule[..40],
            &found[found.len().saturating_sub(200)..]
        );
    }
}

#[test]
fn patterns_are_paid_for() {
    let patterns: Vec<String> = (0..400).map(|index| format!("a{{{}}}", index + 1)).collect();
    let fields = json!({"p": {"type": "array", "items": {"type": "string"}}, "s": {"type": "string"}});
    let each = fault(&fields, "self.p.all(p, !'b'.matches(p))", &json!({"p": patterns}));
    assert!(each.contains("actual cost limit exceeded"), "{each}");
    assert!(holds(&fields, "self.p.all(p, !'b'.matches(p))", &json!({"p": patterns[..100]})));
    let large = "!self.s.matches('((ab?){30}){30}$')";
    assert!(holds(&fields, large, &json!({"s": "a".repeat(200)})));
    let found = fault(&fields, large, &json!({"s": "a".repeat(200_000)}));
    assert!(found.contains("actual cost limit exceeded"), "{found}");
    let found =
        fault(&fields, "self.p.exists(p, self.s.matches(p))", &json!({"p": ["((a{90}){90}){90}"], "s": "a"}));
    assert!(found.contains("error parsing regexp"), "{found}");
}

#[test]
fn all_rules_of_an_object_share_a_budget() {
    let rule = "self.all(a, self.all(b, a >= b))";
    let schema = json!({"type": "object", "additionalProperties": {"type": "array", "items": {"type": "integer"},
        "x-kubernetes-validations": [{"rule": rule}]}});
    let object: serde_json::Map<String, Value> =
        (0..40).map(|index| (format!("k{index:02}"), json!(vec![1; 250]))).collect();
    let found = wrong(&schema, None, &Value::Object(object));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with(
        "validation failed due to running out of cost budget, no further validation rules will be run"
    ));
}

#[test]
fn deep_expressions_are_refused_and_what_is_allowed_fits_the_stack() {
    let nested =
        |open: &str, close: &str, depth: usize| format!("{}true{}", open.repeat(depth), close.repeat(depth));
    for (open, close) in
        [("(", ")"), ("!", ""), ("[", "].exists(x, x)"), ("true || (", ")"), ("[true].all(x, ", ")")]
    {
        let deep = schema(fields(), &nested(open, close, 5000));
        assert!(refused(&deep).concat().contains("nested too deeply"), "{open}");
        assert!(holds(&fields(), &nested(open, close, 40), &json!({})), "{open}");
    }
    let choice = |depth: usize| format!("{}true", "false ? false : ".repeat(depth));
    assert!(refused(&schema(fields(), &choice(5000))).concat().contains("nested too deeply"));
    assert!(holds(&fields(), &choice(90), &json!({})));
    let sum = |terms: usize| format!("{} > 0", vec!["1"; terms].join(" + "));
    assert!(refused(&schema(fields(), &sum(5000))).concat().contains("nested too deeply"));
    assert!(holds(&fields(), &sum(90), &json!({})));
    let members = format!("self{}", ".a".repeat(5000));
    assert!(refused(&schema(fields(), &members)).concat().contains("nested too deeply"));
    let terms = vec!["true"; 5000].join(" && ");
    assert!(holds(&fields(), &terms, &json!({})), "a long conjunction is not deep");
    let long = format!("'{}' == ''", "x".repeat(200_000));
    assert!(refused(&schema(fields(), &long)).concat().contains("expression code point size exceeds limit"));
}
