//! The toolbox's shell beside another guest.

use runtime::container::Exit;

use crate::exec::{ask, toolbox, waiting};
use crate::harness::Net;

#[tokio::test]
async fn a_shell_runs_tools_in_the_containers_place() {
    let (net, node) = (Net::new(), toolbox());
    let (container, _) = waiting(&net).await;
    assert_eq!(ask(&node, &container, "env").await.0, "GREETING=hello\nHOSTNAME=pod\n");
    let cases = [
        ("/bin/sh -c echo\u{a0}hello\u{a0}|\u{a0}cat", "hello\n", 0),
        ("sh -c echo\u{a0}one\u{a0}|\u{a0}wc\u{a0}-l;\u{a0}exit\u{a0}42", "1\n", 42),
        ("sh -c x=$(echo\u{a0}one);\u{a0}echo\u{a0}$x\u{a0}two", "one two\n", 0),
        ("sh -c nosuch\u{a0}2>/dev/null", "", 127),
    ];
    for (line, printed, code) in cases {
        let (out, err, exit) = ask(&node, &container, line).await;
        assert_eq!((out.trim_start(), exit), (printed, Exit::Code(code)), "{line}: {err}");
    }
}
