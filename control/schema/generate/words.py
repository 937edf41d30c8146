#!/usr/bin/env python3
"""Writes data/words.txt: the descriptions that OpenAPI shows and the crate `k8s-openapi` has not.

    words.py --definitions DIR --go DIR [--go DIR …]

The folders are those of generate.py. Taken are the types of lists (the crate has one generic list), what each value of an
enumeration means, the parameters of requests, and which field tells what a union holds. A line a type, then an indented line
a field, like the descriptions that build.rs makes; `enum` and `union` before the name say what its lines are.
"""

import argparse
import json
import pathlib
import re

HERE = pathlib.Path(__file__).parent
META = "io.k8s.apimachinery.pkg.apis.meta.v1"
#: What a watch sends, and what is said about groups and versions.
DISCOVERY = [f"{META}.{name}" for name in ("APIGroup", "APIGroupList", "APIVersions", "GroupVersionForDiscovery",
                                           "ServerAddressByClientCIDR", "WatchEvent")]
#: Structs whose fields are parameters of requests, and where they are.
PARAMETERS = {
    "apimachinery/pkg/apis/meta/v1": ["ListOptions", "DeleteOptions", "CreateOptions", "UpdateOptions", "PatchOptions"],
    "api/core/v1": ["PodLogOptions", "PodExecOptions", "PodAttachOptions", "PodPortForwardOptions", "PodProxyOptions",
                    "NodeProxyOptions", "ServiceProxyOptions"],
}
CONST = re.compile(r'^\s*(?:const )?(\w+)\s+(\w+)\s*=\s*"([^"]*)"')


def escaped(text):
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")


def lists(definitions):
    """The types of lists, and those of DISCOVERY."""
    for name, of in sorted(definitions.items()):
        if (name.endswith("List") and "items" in of.get("properties", {})) or name in DISCOVERY:
            yield f"{name}\t{escaped(of.get('description', ''))}"
            for field, property in sorted(of["properties"].items()):
                if text := property.get("description"):
                    yield f"\t{field}\t{escaped(text)}"


def unions(definitions):
    for name, of in sorted(definitions.items()):
        for union in of.get("x-kubernetes-unions", ()):
            yield f"union {name}\t{union.get('discriminator', '')}"
            for field, value in union["fields-to-discriminateBy"].items():
                yield f"\t{field}\t{value}"


def meaning(constant, comment):
    """As kube-openapi has it: without the name that the comment starts with, on one line."""
    return re.sub(r"\s+", " ", " ".join(comment).strip().removeprefix(constant).strip())


def values(file):
    """The enumerations of a file: name to [(value, meaning)]."""
    enums, found, comment = set(), {}, []
    for line in file.read_text().splitlines():
        text = line.strip()
        if text.startswith("//"):
            comment.append(text[2:].strip())
            continue
        if match := re.match(r"^type (\w+) string", line):
            if any(of.startswith("+enum") for of in comment):
                enums.add(match[1])
        elif match := CONST.match(line):
            said = [of for of in comment if not of.startswith("+")]
            found.setdefault(match[2], {}).setdefault(match[3], meaning(match[1], said))
        comment = []
    return {name: sorted(found.get(name, {}).items()) for name in enums}


def enumerations(roots, packages):
    """The first root that has an enumeration is believed."""
    known = {}
    for root in roots:
        for file in sorted(pathlib.Path(root).glob("**/types*.go")):
            package = "io.k8s." + str(file.parent.relative_to(root)).replace("/", ".")
            if package in packages and not file.name.endswith("_generated.go"):
                for name, of in values(file).items():
                    known.setdefault(f"{package}.{name}", of)
    for name, of in sorted(known.items()):
        if of:
            yield f"enum {name}\t"
            yield from (f"\t{value}\t{escaped(said)}" for value, said in of)


def parameters(root):
    for folder, names in PARAMETERS.items():
        text = (pathlib.Path(root) / folder / "types_swagger_doc_generated.go").read_text()
        for name in names:
            block = re.search(r"var map_%s = map\[string\]string\{\n(.*?)\n\}" % name, text, re.S)
            yield f"{name}\t"
            for field, said in re.findall(r'^\t("(?:[^"\\]|\\.)*"):\s+("(?:[^"\\]|\\.)*"),$', block[1], re.M):
                if field != '""':
                    yield f"\t{json.loads(field)}\t{escaped(json.loads(said))}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--definitions", required=True)
    parser.add_argument("--go", action="append", required=True)
    given = parser.parse_args()
    definitions = json.loads((pathlib.Path(given.definitions) / "_definitions.json").read_text())["$defs"]
    served = set()
    for line in (HERE.parent / "data" / "types.txt").read_text().splitlines():
        if line.startswith("@"):
            package = line[1:]
        elif not line.startswith(("\t", "#")):
            served.add(f"{package}.{line.split(chr(9))[0]}")
    packages = {name.rsplit(".", 1)[0] for name in served}
    definitions = {name: of for name, of in definitions.items() if name in served}
    lines = [*lists(definitions), *unions(definitions), *enumerations(given.go, packages), *parameters(given.go[0])]
    (HERE.parent / "data" / "words.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
