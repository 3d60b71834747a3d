"""What of BigQuery is there? The reading of the one table that the billing export writes: its rows, not SQL over them.

`tables.list`, `tables.get` and `tabledata.list`, the latter also of one partition (`table$20260702`, all that was
exported on that day). A client that reads a bill needs no more; why there are no queries: docs/adr/0031.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from deploy.local.clouds.bills import DAY_S
from deploy.local.clouds.gcp.billing import paid_for
from deploy.local.clouds.gcp.billing_export import DAYS_KEPT, SCHEMA, Export, Field, billing_account_of, day_of
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal

DATASET = "billing_export"
"""Its owner chooses the name when the export is set up; here everybody chose this one."""
PAGE_ROWS = 5000
"""Google ends a page at about 10 MB; a row of ours has 1.5 kB."""
_BASE = "/bigquery/v2/projects/{project}/datasets/{dataset}/tables"
_MILLISECONDS = 1000


def actions() -> list[Action]:
    return [
        Action("GET", _BASE, "bigquery.tables.list", _list_tables),
        Action("GET", _BASE + "/{table}", "bigquery.tables.get", _get_table),
        Action("GET", _BASE + "/{table}/data", "bigquery.tabledata.list", _list_rows),
    ]


def table_of(project: str) -> str:
    return f"gcp_billing_export_v1_{billing_account_of(project).replace('-', '_')}"


def _list_tables(call: Call) -> Answer:
    _check_dataset(call)
    name = table_of(call.account.account_id)
    table = {
        "kind": "bigquery#table", "id": _id(call, name), "tableReference": _reference(call, name), "type": "TABLE",
        "timePartitioning": _partitioning(), "creationTime": _created(_export(call)),
    }  # fmt: skip
    return Answer(200, {"kind": "bigquery#tableList", "tables": [table], "totalItems": 1})


def _get_table(call: Call) -> Answer:
    day, export = _table(call), _export(call)
    document = {
        "kind": "bigquery#table", "id": _id(call, call.path["table"]), "type": "TABLE", "location": "US",
        "selfLink": call.http.base_url + call.http.path, "tableReference": _reference(call, call.path["table"]),
        "schema": {"fields": _selected(SCHEMA, call.query.get("selectedFields", ""))},
        "timePartitioning": _partitioning(), "creationTime": _created(export),
    }  # fmt: skip
    if call.query.get("view") != "BASIC":
        document["numRows"] = str(export.count(day))
        document["lastModifiedTime"] = str(int(call.now_s * _MILLISECONDS))
    return Answer(200, document)


def _list_rows(call: Call) -> Answer:
    day = _table(call)
    export = _export(call)
    token, total = call.query.get("pageToken"), export.count(day)
    start = _number(call, "startIndex", 0) if token is None else _read_token(token)
    size = min(PAGE_ROWS, _number(call, "maxResults", PAGE_ROWS))
    fields, write = _selected(SCHEMA, call.query.get("selectedFields", "")), _timestamps(call)
    rows = [_row(fields, each, write) for each in export.rows(start, size, day)]
    document = {"kind": "bigquery#tableDataList", "totalRows": str(total)}
    if start + len(rows) < total:
        document["pageToken"] = base64.urlsafe_b64encode(str(start + len(rows)).encode()).decode()
    text = json.dumps(document)
    return Answer(200, body=(text[:-1] + f', "rows": [{", ".join(rows)}]}}' if rows else text).encode())


def _export(call: Call) -> Export:
    return Export(call.account.account_id, paid_for(call), call.now_s)


def _check_dataset(call: Call) -> None:
    if call.path["dataset"] != DATASET:
        raise Refusal("not_found", f"Not found: Dataset {call.account.account_id}:{call.path['dataset']}")


def _table(call: Call) -> int | None:
    """The day whose rows are in the partition that is asked for, None for the whole table. Raises Refusal."""
    _check_dataset(call)
    name, mark, text = call.path["table"].partition("$")
    if name != table_of(call.account.account_id):
        raise Refusal("not_found", f"Not found: Table {_id(call, name)}")
    day = day_of(text)
    if mark and day is None:
        raise Refusal("invalid", f"Invalid table decorator '${text}'")
    return None if day is None else day - 1


def _id(call: Call, name: str) -> str:
    return f"{call.account.account_id}:{call.path['dataset']}.{name}"


def _reference(call: Call, name: str) -> dict[str, str]:
    return {"projectId": call.account.account_id, "datasetId": DATASET, "tableId": name}


def _partitioning() -> dict[str, str]:
    return {"type": "DAY", "expirationMs": str(int(DAYS_KEPT * DAY_S) * _MILLISECONDS)}


def _created(export: Export) -> str:
    """When the first thing of the project was paid for; the table is as old as the bill."""
    first_s = min((each.billed.launched_s for each in export.paid), default=export.now_s)
    return str(int(first_s * _MILLISECONDS))


def _number(call: Call, name: str, default: int) -> int:
    text = call.query.get(name, str(default))
    if not text.isdecimal():
        raise Refusal("invalid", f"Invalid value for {name}: {text}")
    return int(text)


def _read_token(text: str) -> int:
    try:
        return max(0, int(base64.b64decode(text, altchars=b"-_", validate=True)))
    except ValueError as error:
        raise Refusal("invalid", f"Invalid page token: {text}") from error


def _selected(fields: Sequence[Field], wanted: str) -> list[Field]:
    """`cost,usage.amount`: these fields and parts of fields; all when nothing is named."""
    if not wanted:
        return list(fields)
    parts: dict[str, list[str]] = {}
    for name in wanted.split(","):
        first, _, rest = name.strip().partition(".")
        parts.setdefault(first, []).append(rest)
    unknown = sorted(parts.keys() - {each["name"] for each in fields})
    if unknown:
        raise Refusal("invalid", f"No such field: {unknown[0]}")
    found = []
    for each in fields:
        inner = parts.get(each["name"])
        if inner is not None:
            whole = "" in inner or "fields" not in each
            found.append(each if whole else {**each, "fields": _selected(each["fields"], ",".join(inner))})
    return found


def _row(fields: Sequence[Field], document: Mapping[str, Any], write: Callable[[float], str]) -> str:
    """A row as JSON text at once: a page of a large project would be a million objects."""
    cells = ", ".join(f'{{"v": {_cell(each, document[each["name"]], write)}}}' for each in fields)
    return f'{{"f": [{cells}]}}'


def _cell(kind: Field, value: Any, write: Callable[[float], str]) -> str:
    """Repeated values are cells themselves, records are rows, and everything else is text."""
    if kind["mode"] == "REPEATED":
        rows = ", ".join(f'{{"v": {_row(kind["fields"], each, write)}}}' for each in value)
        return f"[{rows}]"
    if value is None:
        return "null"
    if kind["type"] == "RECORD":
        return _row(kind["fields"], value, write)
    return json.dumps(write(value) if kind["type"] == "TIMESTAMP" else str(value))


def _timestamps(call: Call) -> Callable[[float], str]:
    """As `formatOptions` wants them: seconds as `1.7987616E9`, microseconds, or ISO 8601."""
    named = call.query.get("formatOptions.timestampOutputFormat", "FLOAT64")
    if call.query.get("formatOptions.useInt64Timestamp") == "true":
        named = "INT64"
    writers: Mapping[str, Callable[[float], str]] = {
        "FLOAT64": lambda time_s: f"{Decimal(repr(time_s)).normalize():E}".replace("E+", "E"),
        "INT64": lambda time_s: str(round(time_s * 1_000_000)),
        "ISO8601_STRING": lambda time_s: f"{dt.datetime.fromtimestamp(time_s, dt.UTC):%Y-%m-%dT%H:%M:%S.%f}000000Z",
    }
    named = "FLOAT64" if named == "TIMESTAMP_OUTPUT_FORMAT_UNSPECIFIED" else named
    if named not in writers:
        raise Refusal("invalid", f"Invalid value for formatOptions.timestampOutputFormat: {named}")
    return writers[named]
