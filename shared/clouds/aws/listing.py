"""How are ten thousand instances read without making what nobody asks for?

botocore reads an answer of EC2 into a tree of elements, walks the whole model of what the answer may have, and reads
every time with dateutil: 0.8 s of processor time for 1,000 instances. Here the same answer passes through expat once
and only the members that we map are made. Request, signature, errors and limits stay botocore's: this stands where it
says `before-parse`. Names and types come from botocore's model of the operation, so a member that EC2 does not have is
found when the client is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

from botocore.model import ListShape, OperationModel, Shape, StructureShape
from botocore.parsers import ResponseParserError

Wanted = Mapping[str, "Wanted | None"]
"""Members by their names in the SDK, None for a plain value; what a list has is what its items have."""

_ONE = None
LISTINGS: Mapping[str, Wanted] = {
    "DescribeInstances": {
        "NextToken": _ONE,
        "Reservations": {
            "Instances": {
                "InstanceId": _ONE,
                "State": {"Name": _ONE},
                "InstanceType": _ONE,
                "InstanceLifecycle": _ONE,
                "ImageId": _ONE,
                "Placement": {"AvailabilityZone": _ONE},
                "Tags": {"Key": _ONE, "Value": _ONE},
                "PrivateIpAddress": _ONE,
                "PublicIpAddress": _ONE,
                "SubnetId": _ONE,
                "VpcId": _ONE,
                "SecurityGroups": {"GroupId": _ONE},
                "LaunchTime": _ONE,
                "StateReason": {"Message": _ONE},
                "Architecture": _ONE,
                "RootDeviceName": _ONE,
                "BlockDeviceMappings": {"DeviceName": _ONE, "Ebs": {"VolumeId": _ONE}},
                "Monitoring": {"State": _ONE},
            }
        },
    },
    "DescribeVolumes": {
        "NextToken": _ONE,
        "Volumes": {
            "VolumeId": _ONE,
            "State": _ONE,
            "Size": _ONE,
            "AvailabilityZone": _ONE,
            "Tags": {"Key": _ONE, "Value": _ONE},
            "SnapshotId": _ONE,
            "Attachments": {"InstanceId": _ONE, "Device": _ONE, "State": _ONE},
            "Encrypted": _ONE,
            "VolumeType": _ONE,
            "CreateTime": _ONE,
        },
    },
}
"""The answers that are long, and what machines.py and volumes.py read of them."""

_REQUEST_ID = "requestId"


@dataclass(slots=True)
class _Node:
    """An element that is wanted. `convert` None: it has `members`, or as a list items."""

    member: str
    is_list: bool = False
    convert: Callable[[str], Any] | None = None
    members: dict[str, _Node] = field(default_factory=dict)
    passed_over: frozenset[str] = frozenset()
    """Elements inside it that nobody wants, and in which no element has their own name again."""


_NOTHING = _Node("")


def register(events: Any, model: Any) -> None:
    """Let a client of EC2 read its long answers this way; `events` and `model` are its `meta`'s."""
    for operation, wanted in LISTINGS.items():
        root = compiled(model.operation_model(operation), wanted)
        events.register(f"before-parse.ec2.{operation}", _Reader(operation, root))


def compiled(operation: OperationModel, wanted: Wanted) -> _Node:
    """Raises KeyError for a member that the operation's answer does not have."""
    root = _node("", operation.output_shape, wanted)
    root.members[_REQUEST_ID] = _Node(_REQUEST_ID, convert=str)
    return root


def _node(member: str, shape: Shape, wanted: Wanted | None) -> _Node:
    if isinstance(shape, ListShape):
        return _Node(member, is_list=True, members={_item_name(shape): _node("", shape.member, wanted)})
    if isinstance(shape, StructureShape) and wanted is not None:
        names = {name: _xml_name(name, inner) for name, inner in shape.members.items()}
        members = {names[name]: _node(name, shape.members[name], inner) for name, inner in wanted.items()}
        passed_over = frozenset(
            names[name]
            for name, inner in shape.members.items()
            if name not in wanted and names[name] not in _names_in(inner, frozenset())
        )
        return _Node(member, members=members, passed_over=passed_over)
    return _Node(member, convert=_CONVERSIONS.get(shape.type_name, str))


def _xml_name(member: str, shape: Shape) -> str:
    return str(shape.serialization.get("name", member))


def _item_name(shape: ListShape) -> str:
    return str(shape.member.serialization.get("name", "member"))


def _names_in(shape: Shape, outer: frozenset[str]) -> set[str]:
    """The names of all elements that may be inside one of this shape."""
    if shape.name in outer:
        return set()
    outer |= {shape.name}
    if isinstance(shape, ListShape):
        return {_item_name(shape)} | _names_in(shape.member, outer)
    if isinstance(shape, StructureShape):
        named = {_xml_name(name, inner) for name, inner in shape.members.items()}
        return named.union(*(_names_in(inner, outer) for inner in shape.members.values()))
    return set()


_CONVERSIONS: Mapping[str, Callable[[str], Any]] = {
    "string": str,
    "integer": int,
    "long": int,
    "boolean": lambda text: text == "true",
    "timestamp": datetime.fromisoformat,
}


class _Reader:
    """Reads the answers of one operation. botocore calls it by these names."""

    def __init__(self, operation: str, root: _Node) -> None:
        self._operation = operation
        self._root = root

    def __call__(self, response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
        """Puts what was read beside the answer, and leaves botocore its shell. Refusals stay botocore's whole."""
        if response_dict["status_code"] >= 300:
            return
        try:
            found = read(response_dict["body"], self._root)
        except (expat.ExpatError, ValueError) as error:
            raise ResponseParserError(f"{self._operation}: the answer is not what EC2 says it is: {error}") from None
        shell = f"<{_REQUEST_ID}>{escape(found.pop(_REQUEST_ID, ''))}</{_REQUEST_ID}>"
        response_dict["body"] = f"<{self._operation}Response>{shell}</{self._operation}Response>".encode()
        customized_response_dict.update(found)


def read(body: bytes, root: _Node) -> dict[str, Any]:
    """The wanted members of an answer, as botocore would give them. Raises ExpatError and ValueError."""
    reading = _Reading(root)
    reading.parser.Parse(body, True)
    return reading.answer


class _Reading:
    """One answer on its way through expat, which calls this for each of two million elements of 10,000 instances."""

    def __init__(self, root: _Node) -> None:
        self.answer: dict[str, Any] = {}
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self._node = _Node("", members={})
        self._thing: Any = None
        self._next: _Node | None = root
        self._above: list[tuple[_Node, Any]] = []
        self._text: list[str] = []
        self._passing = ""
        self._listen()

    def _listen(self) -> None:
        self.parser.StartElementHandler, self.parser.EndElementHandler = self._start, self._end
        self.parser.CharacterDataHandler = self._text.append

    def _start(self, name: str, _: dict[str, str]) -> None:
        node = self._node
        wanted = node.members.get(name)
        if wanted is None:
            if name in node.passed_over:
                self._pass_over(name)
                return
            wanted, self._next = self._next or _NOTHING, None
        made: Any = None
        if wanted.convert is not None:
            self._text.clear()
        elif wanted is not _NOTHING:
            made = self._made(wanted)
        self._above.append((node, self._thing))
        self._node, self._thing = wanted, made

    def _made(self, wanted: _Node) -> Any:
        """What the element's members are put into, in its place already."""
        if not self._above:
            return self.answer
        made: Any = [] if wanted.is_list else {}
        if self._node.is_list:
            self._thing.append(made)
        else:
            self._thing[wanted.member] = made
        return made

    def _end(self, _: str) -> None:
        node = self._node
        self._node, self._thing = self._above.pop()
        if node.convert is not None:
            value = node.convert("".join(self._text))
            if self._node.is_list:
                self._thing.append(value)
            else:
                self._thing[node.member] = value

    def _pass_over(self, name: str) -> None:
        """Until this element ends nothing is called but this: a network interface takes as long as the rest."""
        self._passing = name
        self.parser.StartElementHandler = self.parser.CharacterDataHandler = None
        self.parser.EndElementHandler = self._passed_over

    def _passed_over(self, name: str) -> None:
        if name == self._passing:
            self._listen()
