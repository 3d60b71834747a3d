"""May whoever called do more than read, and how does AWS say that it may not?"""

from deploy.local.clouds.aws.calls import Call
from deploy.local.clouds.aws.errors import Refusal

_ALWAYS = frozenset({"sts"})
"""Whether a role may be assumed is the role's own question."""


def check_permission(call: Call, *, may_write: bool) -> None:
    """Of a mutation: raise Refusal with the action that is missing, as EC2 and the other services word it."""
    if may_write or call.service in _ALWAYS:
        return
    user, action = f"arn:aws:iam::{call.account_id}:user/reader", f"{call.service}:{call.action}"
    wanted = f"User: {user} is not authorized to perform: {action} because no identity-based policy allows the action"
    if call.protocol == "ec2":
        raise Refusal("UnauthorizedOperation", f"You are not authorized to perform this operation. {wanted}.", 403)
    raise Refusal("AccessDenied", wanted, 403)
