use serde_json::json;

use super::*;

#[test]
fn each_format_takes_what_it_is_for_and_nothing_else() {
    for (format, good, bad) in [
        ("bsonobjectid", vec!["507f1f77bcf86cd799439011"], vec!["507f", "zz7f1f77bcf86cd799439011"]),
        ("byte", vec!["YWJj", "YQ==", "YWI="], vec!["", "YQ=", "Y Q=", "===="]),
        ("cidr", vec!["10.0.0.0/8", "fd00::/64"], vec!["10.0.0.0", "10.0.0.0/33", "x/8", "10.0.0.0/-1"]),
        ("creditcard", vec!["4111 1111 1111 1111", "5555-5555-5555-4444"], vec!["4111111111111112", ""]),
        ("date", vec!["2024-02-29"], vec!["2023-02-29", "2024-2-9", "x"]),
        (
            "date-time",
            vec!["2014-12-15T19:30:20.000Z", "2014-12-15t19:30:20+02:00"],
            vec!["2014-12-15", "2014-12-15T25:00:00Z", "2014-12-15T19:30:20"],
        ),
        (
            "duration",
            vec!["1h30m", "-1.5h", "0", "22 ns", "3 days", "1w", "300ms"],
            vec!["", "1", "h", "1 lightyear", "1.5", "-"],
        ),
        ("email", vec!["a@b.c", "A B <a.b@c>", "\"x y\"@z"], vec!["a", "@b", "a@", "a..b@c", "a b@c"]),
        ("hexcolor", vec!["#fff", "00aaFF"], vec!["#ff", "#ggg"]),
        (
            "hostname",
            vec!["localhost", "a.example.com", "1.example", "a-host"],
            vec!["", "-a.com", "a_b.com", "a.b", "a.", "a b", "my-host"],
        ),
        ("ipv4", vec!["10.0.0.1"], vec!["10.0.0.256", "::1", "10.0.0"]),
        ("ipv6", vec!["::1", "fe80::1"], vec!["10.0.0.1", "fe80::1%eth0", ":"]),
        ("isbn", vec!["0321751043", "978-0321751041", "080442957X"], vec!["0321751044", "978-0321751042"]),
        ("mac", vec!["01:23:45:67:89:ab", "01-23-45-67-89-ab", "0123.4567.89ab"], vec!["01:23:45", "0123456789ab"]),
        ("rgbcolor", vec!["rgb(0, 12,255)"], vec!["rgb(0,0,256)", "rgb(0,0)", "rgb(00,0,0)"]),
        ("ssn", vec!["111-11-1111", "111 11 1111", "111111111"], vec!["11-111-1111", "1111"]),
        (
            "uri",
            vec!["http://a.b/c?d#e", "/path", "mailto:a@b", "http://[::1]:80/"],
            vec!["", "a.b", "http://a b", "http://a:x/", "://a", "http://a/%zz"],
        ),
        (
            "uuid",
            vec!["6d97d6b4-1ba4-4b5c-8ec5-ac2a1d8a7d4e", "6D97D6B41BA44B5C8EC5AC2A1D8A7D4E"],
            vec!["6d97d6b4", "6d97d6b4-1ba4-4b5c-8ec5-ac2a1d8a7d4g"],
        ),
        (
            "uuid4",
            vec!["6d97d6b4-1ba4-4b5c-8ec5-ac2a1d8a7d4e"],
            vec!["6d97d6b4-1ba4-3b5c-8ec5-ac2a1d8a7d4e", "6d97d6b4-1ba4-4b5c-7ec5-ac2a1d8a7d4e"],
        ),
        ("quantity", vec!["10Gi", "1.5"], vec!["10 Gi", ""]),
    ] {
        let format = known(format, Some(Type::String)).expect("a known format");
        for text in good {
            assert!(is_valid(format, text), "{format}: {text:?}");
        }
        for text in bad {
            assert!(!is_valid(format, text), "{format}: {text:?}");
        }
    }
}

#[test]
fn formats_that_mean_nothing_are_ignored_and_named() {
    assert_eq!(known("k8s-short-name", Some(Type::String)), None);
    assert_eq!(known("int32", Some(Type::String)), None);
    assert_eq!(known("int32", Some(Type::Integer)), Some("int32"));
    let schema = json!({"type": "object", "properties": {
        "a": {"type": "string", "format": "foo"},
        "b": {"type": "array", "items": {"type": "string", "format": "foo"}},
        "c": {"type": "integer", "format": "int64"},
        "d": {"type": "boolean", "format": "bar"},
    }});
    assert_eq!(unrecognized(&schema), ["foo", "bar"]);
}
