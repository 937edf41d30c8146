"""Reads the struct declarations of Kubernetes' Go API packages.

Only facts are kept: names, types, tags and markers. Comments are looked at for `+marker` lines and dropped.
"""

import pathlib
import re

MEMBER = re.compile(r"^\s+(?:([A-Z]\w*)\s+)?(\S[^`]*?)\s*`([^`]*)`")
TAG = re.compile(r'(\w+):"([^"]*)"')
CONST = re.compile(r'^\s+(\w+)\s+(\w+)\s*=\s*"([^"]*)"')
CONST_CALL = re.compile(r'^\s*const (\w+)\s+(\w+)\s*=\s*"([^"]*)"')


class Field:
    def __init__(self, go_type, tags, markers):
        json = tags.get("json", "").split(",")
        self.name, self.options = json[0], json[1:]
        self.type = go_type
        proto = tags.get("protobuf", "").split(",")
        self.number = int(proto[1]) if len(proto) > 1 else 0
        self.markers = markers
        self.merge_key = tags.get("patchMergeKey")
        self.strategy = tags.get("patchStrategy")

    @property
    def inline(self):
        return not self.name and "inline" in self.options

    @property
    def omitempty(self):
        return "omitempty" in self.options


class Package:
    """The types of one directory: structs, other named types, enumerations, what its imports are called."""

    def __init__(self, folder):
        self.structs, self.named, self.enums, self.imports, self.values, self.constants = {}, {}, set(), {}, {}, {}
        for file in sorted(pathlib.Path(folder).glob("*.go")):
            if not (file.name.startswith("zz_") or file.name.endswith(("_test.go", "generated.pb.go", "_generated.go"))):
                self._read(file.read_text().splitlines())

    def _read(self, lines):
        markers, struct = [], None
        for line in lines:
            text = line.strip()
            if text.startswith("//"):
                if text[2:].strip().startswith("+"):
                    markers.append(text[2:].strip()[1:])
                continue
            if match := re.match(r'^(?:import\s+|\s+)(?:(\w+)\s+)?"([\w./-]+/[\w./-]+)"$', line):
                self.imports[match[1] or match[2].split("/")[-1]] = match[2]
            elif match := re.match(r"^type (\w+) struct ?\{\}$", line):
                self.structs[match[1]] = []
            elif match := re.match(r"^type (\w+) struct \{$", line):
                struct = self.structs.setdefault(match[1], [])
            elif struct is not None and text == "}":
                struct = None
            elif struct is not None and (match := MEMBER.match(line)):
                struct.append(Field(match[2].strip(), dict(TAG.findall(match[3])), markers))
            elif struct is not None and re.match(r"^\s+[\w.]+$", line):
                struct.append(Field(text, {"json": ",inline"}, markers))
            elif match := re.match(r"^type (\w+) =? ?([^\s{]+)( // .*)?$", line):
                self.named[match[1]] = match[2]
                if any(m.startswith("enum") for m in markers):
                    self.enums.add(match[1])
            elif match := CONST.match(line) or CONST_CALL.match(line):
                self.values.setdefault(match[2], []).append(match[3])
                self.constants[match[1]] = match[3]
            if text:
                markers = []
