"""Does a message say what it is in its headers, as CloudEvents 1.0 in binary mode asks?"""

import re
from datetime import datetime

from shared.kit.ids import new_id
from shared.messages.headers import message_headers
from shared.messages.users import UserSignedOut
from tests.fixtures.services import context, now


def test_a_message_carries_the_attributes_of_cloudevents_and_the_id_that_the_broker_knows_it_by() -> None:
    user = new_id()
    event = UserSignedOut(**context().about(user, 3, now()), user_id=user, reason="logout")
    headers = message_headers(event, "gateway")
    required = {"ce-specversion", "ce-id", "ce-source", "ce-type"}  # CloudEvents 1.0, 3.1: REQUIRED attributes
    assert required <= headers.keys()
    assert headers["ce-specversion"] == "1.0"
    assert headers["ce-type"] == "user.signed_out.v1"
    assert headers["ce-id"] == headers["Nats-Msg-Id"] == str(event.id)
    assert re.fullmatch(r"/canopy/gateway", headers["ce-source"])
    assert datetime.fromisoformat(headers["ce-time"]) == event.time
    assert headers["content-type"] == "application/json"
