"""Has every question whose plan is kept an index that holds its rows side by side, in the order of its page?"""

from services.provisioner.storage.resource_pages import _EQUAL, _INDEXED, question
from services.provisioner.storage.tables import cloud_resources, resource_tags
from shared.kit.ids import new_id
from shared.messages.resources import ListResources
from tests.fixtures.services import context, now

COLUMNS = {name: column.name for name, column in _EQUAL.items()} | {"tag_key": "key", "tag_value": "value"}


def test_a_walk_has_an_index_in_its_order() -> None:
    indexes = [[column.name for column in index.columns] for index in cloud_resources.indexes | resource_tags.indexes]
    for filters in (frozenset[str](), *_INDEXED):
        wanted = {"organization_id", *(COLUMNS[name] for name in filters)}
        orders = [index[len(wanted) :] for index in indexes if set(index[: len(wanted)]) == wanted]
        assert any(order[:1] == ["created_at"] and order[1:] in (["id"], ["resource_id"]) for order in orders), filters
    assert ["organization_id", "resource_name", "id"] in indexes


def test_only_what_one_index_leads_to_is_a_walk() -> None:
    one, named = str(new_id()), {"sort": "resource_name"}
    for is_walk, asked in (
        (True, {}), (True, {"region": "r"}), (True, {"sort": "created_at", "group": one}), (True, {"tag": "a=b"}),
        (True, {"resource_type": "compute", "resource_subtype": "vm"}), (True, {"provider": "all"}),
        (True, named), (True, named | {"q": "web"}),
        (False, {"tag": "a"}), (False, {"q": "web"}), (False, {"resource_type": "compute"}),
        (False, {"resource_subtype": "vm"}), (False, {"region": "r", "project": "p"}), (False, named | {"tag": "a=b"}),
        (False, named | {"region": "r"}), (False, {"tag": "a=b", "region": "r"}),
    ):  # fmt: skip
        request = ListResources.model_validate({**context().envelope(now()), **asked})
        assert question(new_id(), request).is_walk is is_walk, asked
