//! The language by table: what an expression comes to, what it is refused with.

use serde_json::{Value as Json, json};

use super::*;

fn object() -> Json {
    json!({
        "name": "web", "replicas": 3, "labels": {"a": "1", "b-c": "2"}, "ports": [{"name": "http", "port": 80}, {"name": "https", "port": 443}],
        "ratio": 2, "since": "2024-05-01T10:20:30Z", "wait": "90s", "tags": ["x", "y"], "cpu": "250m", "__x": null
    })
}

fn schema() -> Type {
    Type::of_schema(
        &json!({"type": "object", "properties": {
            "name": {"type": "string"}, "replicas": {"type": "integer"}, "ratio": {"type": "number"},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "since": {"type": "string", "format": "date-time"}, "wait": {"type": "string", "format": "duration"},
            "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
            "cpu": {"x-kubernetes-int-or-string": true}, "a-b": {"type": "string"},
            "ports": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                "items": {"type": "object", "properties": {"name": {"type": "string"}, "port": {"type": "integer"}}}}}}),
        false,
    )
}

fn typed() -> Scope {
    Scope::rule(&schema())
}

fn untyped() -> Scope {
    Scope::new().with("self", Type::Dyn)
}

fn run_in(scope: &Scope, source: &str) -> Result<String, String> {
    let object = object();
    let program = Program::compile(source, scope).map_err(|error| error.to_string())?;
    let bindings = Bindings::new().json("self", &object);
    let outcome = program.evaluate(&bindings).map_err(|error| error.to_string())?;
    Ok(format!("{:?}", outcome.as_bool().ok_or_else(|| format!("{:?}", outcome.value))?))
}

fn holds(source: &str) {
    for scope in [typed(), untyped()] {
        assert_eq!(run_in(&scope, source).as_deref(), Ok("true"), "{source}");
    }
}

#[test]
fn values_of_objects() {
    for rule in [
        "self.name == 'web' && self.replicas > 2 && self.replicas < 3.5",
        "has(self.name) && !has(self.labels.c)",
        "self.labels['b-c'] == '2' && 'a' in self.labels && size(self.labels) == 2",
        "self.ports.all(p, p.port < 1000) && self.ports.exists_one(p, p.name == 'http')",
        "self.ports.map(p, p.port) == [80, 443] && self.ports.filter(p, p.port == 80).size() == 1",
        "self.ports.map(p, p.port > 100, p.name) == ['https']",
        "self.ports[1].name == 'https'",
        "self.?nothing.orValue(1) == 1 || true",
        "self.labels.?a.orValue('') == '1' && self.labels.?c.orValue('z') == 'z' && !self.labels[?'q'].hasValue()",
        "self.labels.?a.optMap(x, x + x).value() == '11'",
        "self.labels.exists(k, self.labels[k] == '2')",
        "self.labels.all(k, v, k.size() > 0 && v.size() == 1)",
        "self.ports.exists(i, p, i == 1 && p.port == 443)",
        "self.ports.transformList(i, p, p.port + i) == [80, 444]",
        "self.labels.transformMap(k, v, k + v) == {'a': 'a1', 'b-c': 'b-c2'}",
        "self.ports.transformMapEntry(i, p, {p.name: p.port}) == {'http': 80, 'https': 443}",
        "dyn(self.cpu) == '250m' && type(self.cpu) == string",
    ] {
        if rule.contains("nothing") {
            assert_eq!(run_in(&untyped(), rule).as_deref(), Ok("true"));
        } else {
            holds(rule);
        }
    }
}

#[test]
fn types_of_a_schema() {
    for rule in [
        "self.ratio == 2.0 && type(self.ratio) == double",
        "self.since > timestamp('2024-01-01T00:00:00Z') && self.since.getFullYear() == 2024 && self.since.getMonth() == 4",
        "self.wait == duration('1m30s') && self.wait.getSeconds() == 90",
        "self.tags == ['y', 'x'] && self.tags + ['x', 'z'] == ['x', 'y', 'z']",
        "self.ports + [{'name': 'http', 'port': 8080}].map(x, dyn(x)) != self.ports",
        "!has(self.a__dash__b)",
        "self.cpu == '250m' || self.cpu == 5",
    ] {
        assert_eq!(run_in(&typed(), rule).as_deref(), Ok("true"), "{rule}");
    }
}

#[test]
fn strings() {
    for rule in [
        "'tacocat'.charAt(6) == 't' && 'hello'.indexOf('l') == 2 && 'hello'.lastIndexOf('l') == 3 && 'a'.indexOf('z') == -1",
        "'hello mellow'.indexOf('ello', 2) == 7 && 'hello mellow'.lastIndexOf('ello', 6) == 1",
        "['a', 'b'].join('-') == 'a-b' && ['a', 'b'].join() == 'ab'",
        "'TacoCat'.lowerAscii() == 'tacocat' && 'x'.upperAscii() == 'X' && '  a '.trim() == 'a'",
        "'hello hello'.replace('he', 'we', 1) == 'wello hello' && 'a,b,c'.split(',') == ['a', 'b', 'c']",
        "'a,b,c'.split(',', 2) == ['a', 'b,c'] && 'ab'.split('') == ['a', 'b'] && 'a'.split(',', 0) == []",
        "'tacocat'.substring(4) == 'cat' && 'tacocat'.substring(0, 4) == 'taco' && 'äb'.size() == 2",
        "'%s-%d-%.2f-%x-%b'.format(['a', 1, 1.5, 255, 5]) == 'a-1-1.50-ff-101' && '%s'.format([[1, 'a']]) == '[1, a]'",
        "'abc'.startsWith('a') && 'abc'.endsWith('c') && 'abc'.contains('b') && 'abc'.matches('^a.c$')",
        "'abc 123'.find('[0-9]+') == '123' && '1 2 3'.findAll('[0-9]') == ['1', '2', '3'] && '1 2'.findAll('[0-9]', 1) == ['1']",
        r#"strings.quote('a"b') == '"a\\"b"'"#,
    ] {
        holds(rule);
    }
}

#[test]
fn lists_sets_and_numbers() {
    for rule in [
        "[1, 2, 3].isSorted() && [1, 2].sum() == 3 && [3, 1].min() == 1 && [3, 1].max() == 3 && [1.5, 2.5].sum() == 4.0",
        "[1, 2, 2].indexOf(2) == 1 && [1, 2, 2].lastIndexOf(2) == 2 && ['a'].indexOf('b') == -1",
        "sets.contains([1, 2], [2]) && sets.equivalent([1, 2], [2, 1, 1]) && sets.intersects([1], [1, 2])",
        "int('3') == 3 && int(3.9) == 3 && uint(3) == 3u && double('1.5') == 1.5 && string(1) == '1' && bool('true')",
        "1 < 1.5 && 2u > 1 && dyn(1) == 1.0 && dyn(1) == dyn(1u) && 7 % 3 == 1 && -7 / 2 == -3",
        "[1, 2] + [3] == [1, 2, 3] && {'a': 1}.a == 1 && 2 in [1, 2] && {1: 'x'}[1] == 'x'",
        "true || 1 / 0 == 1 ? true : false",
        "[1, 0].exists(x, 1 / x == 1) && ![0, 2].all(x, 2 / x == 4)",
        "type(1) == int && type(null) == null_type && type([]) == list && type(int) == type",
        "timestamp('2024-01-01T00:00:00Z') + duration('1h') == timestamp('2024-01-01T01:00:00Z')",
        "timestamp('2024-01-01T00:00:00Z').getHours('+02:00') == 2 && duration('1.5s').getMilliseconds() == 1500",
        "optional.of(1).or(optional.of(2)).value() == 1 && optional.none().orValue(3) == 3 && !optional.ofNonZeroValue('').hasValue()",
        "[?optional.none(), ?optional.of(2)] == [2] && {?'a': optional.none()} == {}",
    ] {
        holds(rule);
    }
}

#[test]
fn kubernetes_libraries() {
    for rule in [
        "quantity('1Gi').isGreaterThan(quantity('1G')) && quantity('50k').add(20) == quantity('50020') && isQuantity('1Ki')",
        "quantity('1000m').asInteger() == 1 && quantity('1.5').asApproximateFloat() == 1.5 && quantity('-1').sign() == -1",
        "quantity('1').compareTo(quantity('2')) == -1 && !isQuantity('1.2.3') && !quantity('1m').isInteger()",
        "url('https://example.com:80/p?a=1&a=2').getHost() == 'example.com:80' && url('https://e.com/').getPort() == ''",
        "url('https://e.com/?a=1&a=2').getQuery()['a'] == ['1', '2'] && isURL('/x') && !isURL('x')",
        "ip('127.0.0.1').isLoopback() && ip('::1').family() == 6 && isIP('1.2.3.4') && !isIP('1.2.3') && ip.isCanonical('::1')",
        "cidr('10.0.0.0/8').containsIP('10.1.2.3') && cidr('10.0.0.0/8').containsCIDR(cidr('10.1.0.0/16'))",
        "cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8') && cidr('10.0.0.0/8').prefixLength() == 8 && string(cidr('::/0').ip()) == '::'",
        "!format.dns1123Label().validate('abc').hasValue() && format.dns1123Label().validate('A').hasValue()",
        "format.named('uuid').value().validate('x').value() == ['does not match the UUID format'] && !format.named('z').hasValue()",
        "semver('1.2.3').major() == 1 && semver('1.2.3').isLessThan(semver('1.10.0')) && isSemver('v1.2', true) && !isSemver('v1.2')",
        "semver('1.0.0+a') == semver('1.0.0+b') && semver('v01.2', true) == semver('1.2.0')",
    ] {
        holds(rule);
    }
}

#[test]
fn errors_of_compiling() {
    for (rule, wrong) in [
        ("self.nam", "compilation failed: ERROR: <input>:1:5: undefined field 'nam'\n | self.nam\n | ....^"),
        (
            "foo",
            "compilation failed: ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')\n | foo\n | ^",
        ),
        (
            "self.replicas == 'a'",
            "compilation failed: ERROR: <input>:1:15: found no matching overload for '_==_' applied to '(int, string)'\n | self.replicas == 'a'\n | ..............^",
        ),
        (
            "self.name.size(1)",
            "compilation failed: ERROR: <input>:1:15: found no matching overload for 'size' applied to 'string.(int)'\n | self.name.size(1)\n | ..............^",
        ),
        (
            "self.name.x()",
            "compilation failed: ERROR: <input>:1:12: undeclared reference to 'x' (in container '')\n | self.name.x()\n | ...........^",
        ),
        (
            "self.replicas.all(x, true)",
            "compilation failed: ERROR: <input>:1:5: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)\n | self.replicas.all(x, true)\n | ....^",
        ),
        (
            "self.name.b",
            "compilation failed: ERROR: <input>:1:10: type 'string' does not support field selection\n | self.name.b\n | .........^",
        ),
    ] {
        assert_eq!(run_in(&typed(), rule), Err(wrong.to_owned()), "{rule}");
    }
    assert!(
        run_in(&typed(), "self.name ==")
            .unwrap_err()
            .starts_with("compilation failed: ERROR: <input>:1:13: Syntax error: ")
    );
    assert!(run_in(&typed(), "'a'.matches('(')").unwrap_err().contains("error parsing regexp"));
}

#[test]
fn errors_of_evaluating() {
    for (rule, wrong) in [
        ("self.labels.zz == ''", "no such key: zz"),
        ("self.ports[5].port == 1", "index out of bounds: 5"),
        ("1 / (self.replicas - 3) == 0", "division by zero"),
        ("9223372036854775807 + self.replicas > 0", "integer overflow"),
        ("int(self.name) == 1", "type conversion error from 'string' to 'int'"),
        ("dyn(1) + dyn('a') == 2", "no such overload: _+_(int, string)"),
    ] {
        assert_eq!(run_in(&untyped(), rule), Err(wrong.to_owned()), "{rule}");
    }
}

#[test]
fn hostile_rules_end() {
    let loops = "[1,2,3,4,5,6,7,8,9,10]";
    let mut nested = "true".to_owned();
    for i in 0..10 {
        nested = format!("{loops}.all(x{i}, {nested})");
    }
    assert_eq!(run_in(&untyped(), &nested), Err("operation cancelled: actual cost limit exceeded".to_owned()));
    let grows =
        format!("{loops}.map(a, {loops}.map(b, {loops}.map(c, {loops}.map(d, {loops}.map(e, [a] + [b]))))).size() > 0");
    assert_eq!(run_in(&untyped(), &grows), Err("operation cancelled: actual cost limit exceeded".to_owned()));
    for deep in [
        format!("{}true", "!".repeat(50_000)),
        format!("{}1{}", "(".repeat(5_000), ")".repeat(5_000)),
        format!("1{}", "+1".repeat(9_000)),
        format!("self{}", ".a".repeat(9_000)),
        format!("{}1", "[".repeat(20_000)),
        "a".repeat(200_000),
        format!("true{}", " && true".repeat(4_000)),
        format!("true{}", "?true:true".repeat(4_000)),
    ] {
        let _ = run_in(&untyped(), &deep);
    }
}

#[test]
fn variables_are_computed_once_and_from_each_other() {
    let scope = Scope::new().with("object", Type::Dyn).with(
        "variables",
        Type::object("kubernetes.variables", [("a".to_owned(), Type::Int), ("b".to_owned(), Type::Int)]),
    );
    let (a, b) =
        (Program::compile("object.n + 1", &scope).unwrap(), Program::compile("variables.a * 2", &scope).unwrap());
    let rule = Program::compile("variables.b + variables.b == 12 && has(variables.a)", &scope).unwrap();
    let object = json!({"n": 2});
    let bindings = Bindings::new().json("object", &object).variables([("a", &a), ("b", &b)]);
    assert_eq!(rule.evaluate(&bindings).unwrap().as_bool(), Some(true));
    let wrong = Program::compile("variables.c == 1", &scope).unwrap_err();
    assert!(wrong.to_string().contains("undefined field 'c'"));
}

#[test]
fn the_deepest_programs_run_on_a_small_stack() {
    let scope = Scope::new().with("object", Type::Dyn).with(
        "variables",
        Type::object("kubernetes.variables", [("a".to_owned(), Type::Int), ("b".to_owned(), Type::Int)]),
    );
    let nested = |start: &str| format!("{start}{}", " + 1".repeat(240));
    let calls = format!("{}object.n{}", "[".repeat(70), "][0]".repeat(70));
    let (a, b) = (
        Program::compile(&nested(&calls.replace("object.n", "int(object.n)")), &scope),
        Program::compile(&nested("variables.a"), &scope),
    );
    assert!(a.is_err(), "deeper than a program may be");
    let (a, b) = (Program::compile(&nested("int(object.n)"), &scope).unwrap(), b.unwrap());
    let rule = Program::compile(&nested("variables.b"), &scope).unwrap();
    let lists = Program::compile(&format!("{calls} == 1"), &scope).unwrap();
    let object = json!({"n": 1});
    let bindings = Bindings::new().json("object", &object).variables([("a", &a), ("b", &b)]);
    let error = rule.evaluate(&bindings).unwrap_err().to_string();
    assert!(error.contains("expression recursion limit exceeded"), "{error}");
    assert_eq!(lists.evaluate(&Bindings::new().json("object", &object)).unwrap().as_bool(), Some(true));
}
