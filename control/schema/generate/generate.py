#!/usr/bin/env python3
"""Writes data/types.txt: every type of the Kubernetes 1.33 API that Sampan serves, as facts.

    generate.py --definitions DIR --go DIR [--go DIR …] [--everything]

What is read, all of it from package registries, with their ordinary clients:

* `--definitions`: the folder `v1.33.0-local-strict` of PyPI's `kubernetes-validate` 1.37.0 (`pip download`, unzip).
  It says which types and fields exist in 1.33, what is required, and every `x-kubernetes-*` extension.
* `--go`: the folder `usr/share/gocode/src/k8s.io` of Debian's `golang-k8s-api-dev`, `golang-k8s-apimachinery-dev` and
  `golang-k8s-apiextensions-apiserver-dev` (`apt-get download`, `dpkg-deb -x`). They say what OpenAPI can not: the order
  of fields, protobuf numbers, pointers, omitempty, flattened structs. No release has 1.33 itself, so give two: first
  the one whose tags are believed (0.32, trixie), then one that knows every field (0.36, sid).

The aggregator's few types are in no package; apiregistration.txt has them. `--everything` takes also what is not
served (alpha and beta groups, option kinds): a wider table to check the protobuf codec with.
"""

import argparse
import json
import pathlib

import gosource

HERE = pathlib.Path(__file__).parent
SCALARS = {
    "string": "s", "bool": "b", "int32": "i", "int64": "l", "int": "l", "uint32": "i", "float64": "d", "[]byte": "y",
    "metav1.Time": "t", "metav1.MicroTime": "u", "resource.Quantity": "q", "intstr.IntOrString": "x",
    "runtime.RawExtension": "r", "metav1.FieldsV1": "f", "JSON": "j", "types.UID": "s:types.UID", "types.NodeName": "s:types.NodeName",
    "metav1.Duration": "s", "JSONSchemaPropsOrArray": "oa", "JSONSchemaPropsOrBool": "ob",
    "JSONSchemaPropsOrStringArray": "os", "runtime.Object": "r",
}
#: Go lists that protobuf wraps in a message of their own.
WRAPPED = {"ExtraValue", "Verbs"}
#: Types that no resource refers to but requests carry.
ROOTS = [
    "io.k8s.apimachinery.pkg.apis.meta.v1." + name
    for name in ("APIGroup", "APIGroupList", "APIResourceList", "APIVersions", "CreateOptions", "DeleteOptions",
                 "Patch", "PatchOptions", "Status", "UpdateOptions", "WatchEvent", "GetOptions", "ListOptions",
                 "PartialObjectMetadata", "PartialObjectMetadataList")
] + ["io.k8s.api.admission.v1.AdmissionReview", "io.k8s.api.core.v1.List"]
GROUPS = {
    "": "core", "admissionregistration.k8s.io": "admissionregistration", "authentication.k8s.io": "authentication",
    "authorization.k8s.io": "authorization", "certificates.k8s.io": "certificates", "coordination.k8s.io": "coordination",
    "discovery.k8s.io": "discovery", "events.k8s.io": "events", "flowcontrol.apiserver.k8s.io": "flowcontrol",
    "networking.k8s.io": "networking", "node.k8s.io": "node", "rbac.authorization.k8s.io": "rbac",
    "scheduling.k8s.io": "scheduling", "storage.k8s.io": "storage",
}


def package_name(path):
    """`k8s.io/api/core/v1` → `io.k8s.api.core.v1`, as OpenAPI calls it."""
    return "io.k8s." + path.removeprefix("k8s.io/").replace("/", ".")


def type_package(group, version):
    if group == "apiextensions.k8s.io":
        return "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions." + version
    if group == "apiregistration.k8s.io":
        return "io.k8s.kube-aggregator.pkg.apis.apiregistration." + version
    return f"io.k8s.api.{GROUPS.get(group, group)}.{version}"


class Source:
    """All packages of the given roots; the first root that has a field is believed about its tags."""

    def __init__(self, roots):
        self.roots = []
        for root in roots:
            packages = {}
            for folder in pathlib.Path(root).glob("**/*"):
                if folder.is_dir() and any(folder.glob("types*.go")):
                    packages[package_name("k8s.io/" + str(folder.relative_to(root)))] = gosource.Package(folder)
            meta = packages.get("io.k8s.apimachinery.pkg.apis.meta.v1")
            packages.setdefault("io.k8s.apimachinery.pkg.runtime", meta)
            self.roots.append(packages)

    def package(self, name):
        return next((root[name] for root in reversed(self.roots) if name in root), None)

    def named(self, package, name):
        """What a type that is no struct is declared as."""
        found = (root[package].named.get(name) for root in reversed(self.roots) if package in root)
        return next(filter(None, found), None)

    def imported(self, package, prefix):
        return next(root[package].imports[prefix] for root in reversed(self.roots)
                    if package in root and prefix in root[package].imports)

    def struct(self, package, name):
        """The fields in the newest order, each as the first root that has it says."""
        versions = [root[package].structs[name] for root in self.roots if name in getattr(root.get(package), "structs", ())]
        if not versions:
            return None
        believed = {}
        for fields in reversed(versions):
            believed.update({(f.name, f.number, f.inline): f for f in fields})
        return [believed[(f.name, f.number, f.inline)] for f in versions[-1]], versions[0]

    def values(self, package, name):
        for root in self.roots:
            found = root.get(package)
            if found and name in found.enums and name in found.values:
                return sorted(set(found.values[name]))
        return []


class Generator:
    def __init__(self, source, definitions, strict):
        self.source, self.definitions, self.done, self.queue = source, definitions, {}, []
        self.strict = strict

    def resolve(self, package, go_type):
        """A Go type in our letters; struct types met on the way are queued."""
        if go_type.startswith("*"):
            return "*" + self.resolve(package, go_type[1:])
        if go_type == "[]byte":
            return "y"
        if go_type.startswith("[]"):
            return "[]" + self.resolve(package, go_type[2:]).lstrip("*")
        if go_type.startswith("map["):
            return "{}" + self.resolve(package, go_type[go_type.index("]") + 1:])
        home, alias, name = self.locate(package, go_type)
        known = SCALARS.get(f"{alias}.{name}") or (SCALARS.get(name) if home == package or "." not in go_type else None)
        if known and not (name == "JSON" and "apiextensions" not in home):
            return known
        named = self.source.named(home, name)
        if name in WRAPPED:
            return "w[]s"
        if named:
            inner = self.resolve(home, named)
            return f"s:{alias}.{name}" if inner.startswith("s") else inner
        self.queue.append(f"{home}.{name}")
        return name if home == package else f"{home}.{name}".removeprefix("io.k8s.")

    def locate(self, package, go_type):
        if "." in go_type:
            prefix, name = go_type.split(".")
            path = self.source.imported(package, prefix)
            home = package_name(path)
            alias = "metav1" if home.endswith("meta.v1") and name in ("Time", "MicroTime", "Duration", "FieldsV1") else path.split("/")[-1]
            return home, alias, name
        alias = package.split(".")[-1]
        if package.endswith("meta.v1") and go_type in ("Time", "MicroTime", "FieldsV1"):
            alias = "metav1"
        return package, alias, go_type

    def fields(self, package, name, prefix=""):
        """The lines of a struct, embedded ones flattened in their place."""
        found = self.source.struct(package, name)
        if found is None:
            home, _, other = self.locate(package, self.source.named(package, name))
            yield from self.fields(home, other, prefix)
            return
        believed, first = found
        for field in believed:
            if field.inline:
                home, _, inner = self.locate(package, field.type)
                path = f"{prefix}{field.number}." if field.number and prefix is not None else None
                yield from self.fields(home, inner, path)
            elif field.name and field.name != "-":
                number = f"{prefix}{field.number}" if field.number and prefix is not None else "0"
                yield field, number, package, first

    def emit(self, full):
        package, name = full.rsplit(".", 1)
        definition = self.definitions.get(full)
        if self.source.struct(package, name) is None:
            if definition:
                print("not a struct:", full)
            return None
        properties = (definition or {}).get("properties", {})
        required = set((definition or {}).get("required", ()))
        head = [name]
        if (definition or {}).get("x-kubernetes-map-type"):
            head.append("atomic")
        for gvk in (definition or {}).get("x-kubernetes-group-version-kind", ()):
            head.append("g=" + "/".join((gvk["group"], gvk["version"], gvk["kind"])))
        lines, seen = ["\t".join(head)], set()
        for field, number, home, first in self.fields(package, name):
            if field.name in seen:
                continue
            if definition is not None and field.name not in properties:
                continue
            if definition is None and first and not any(f.name == field.name for f in first):
                continue
            seen.add(field.name)
            letters = self.resolve(home, field.type)
            if home != package and letters.lstrip("*[]{}w")[:1].isupper():
                prefix = letters[:len(letters) - len(letters.lstrip("*[]{}w"))]
                letters = prefix + f"{home}.{letters.removeprefix(prefix)}".removeprefix("io.k8s.")
            lines.append("\t".join(["", field.name, number, letters, *self.attributes(field, home, properties, required)]))
        missing = set(properties) - seen
        if missing:
            self.complain(f"{full}: no Go field for {sorted(missing)}")
        return lines

    def attributes(self, field, home, properties, required):
        property = properties.get(field.name, {})
        if not field.omitempty:
            yield "!"
        if field.name in required:
            yield "R"
        extensions = {k.removeprefix("x-kubernetes-"): v for k, v in property.items() if k.startswith("x-kubernetes-")}
        if key := extensions.pop("patch-merge-key", None):
            yield f"m={key}"
        if strategy := extensions.pop("patch-strategy", None):
            yield f"p={strategy}"
        if kind := extensions.pop("list-type", None):
            yield f"l={kind}"
        if keys := extensions.pop("list-map-keys", None):
            yield "k=" + ",".join(keys)
        if kind := extensions.pop("map-type", None):
            yield f"a={kind}"
        if extensions:
            raise SystemExit(f"{field.name}: unknown extensions {extensions}")
        target = field.type.lstrip("*")
        if "." not in target and (values := self.source.values(home, target)):
            yield "e=" + ",".join(values)
        for marker in field.markers:
            if marker.startswith("default=ref("):
                yield "d=" + json.dumps(self.source.package(home).constants[marker.removeprefix("default=ref(").rstrip(")")])
            elif marker.startswith("default="):
                yield "d=" + marker.removeprefix("default=")

    def complain(self, text):
        """What is served must be known whole; of alpha versions fields come and go."""
        if self.strict:
            raise SystemExit(text)
        print(text)

    def run(self, roots):
        self.queue = list(roots)
        while self.queue:
            full = self.queue.pop()
            if full not in self.done:
                self.done[full] = None
                if lines := self.emit(full):
                    self.done[full] = lines


def served():
    """The kinds of data/resources.tsv and their lists."""
    group, version = "", ""
    for line in (HERE.parent / "data" / "resources.tsv").read_text().splitlines():
        if line.startswith("#"):
            continue
        if not line.startswith("\t"):
            group, _, version = line.rstrip(":").rpartition("/")
            continue
        kind = line.split("\t")[2]
        if "/" in kind:
            other, other_version, kind = kind.rsplit("/", 2)
            yield f"{type_package(other, other_version)}.{kind}"
            continue
        yield f"{type_package(group, version)}.{kind}"
        yield f"{type_package(group, version)}.{kind}List"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--definitions", required=True)
    parser.add_argument("--go", action="append", required=True)
    parser.add_argument("--everything", action="store_true")
    parser.add_argument("--out", default=HERE.parent / "data" / "types.txt")
    given = parser.parse_args()
    definitions = json.loads((pathlib.Path(given.definitions) / "_definitions.json").read_text())["$defs"]
    generator = Generator(Source(given.go), definitions, strict=not given.everything)
    roots = list(served()) + ROOTS
    if given.everything:
        roots += [f"{package}.{name}" for root in generator.source.roots for package, found in root.items()
                  if package.startswith("io.k8s.api.") for name in found.structs]
    generator.run(roots)
    packages = {}
    for full, lines in generator.done.items():
        if lines:
            packages.setdefault(full.rsplit(".", 1)[0], {})[full] = lines
    text = ["# Made by generate/generate.py: types of the Kubernetes 1.33 API. The letters are explained in src/table/parse.rs."]
    for package in sorted(packages):
        text.append("@" + package)
        for full in sorted(packages[package]):
            text += packages[package][full]
    text += (HERE / "apiregistration.txt").read_text().splitlines()[1:]
    pathlib.Path(given.out).write_text("\n".join(text) + "\n")


if __name__ == "__main__":
    main()
