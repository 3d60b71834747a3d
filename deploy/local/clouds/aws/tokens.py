"""Was a call with this client token answered before, and was it the same call?"""

from dataclasses import dataclass, field


class TokenMismatch(Exception):
    """The token was used before with other parameters."""


@dataclass
class ClientTokens:
    """Remembers per action and token what was asked and which id came of it.

    It lives inside the backend whose things it names, so that both are saved in one piece: a token that survives a kill
    without its machine would lose a machine, and a machine without its token would come twice. AWS promises 24 hours;
    here they are kept for good.
    """

    seen: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)

    def result_of(self, action: str, token: str, fingerprint: str) -> str | None:
        """The id of the first answer, or None for a new token; raises TokenMismatch for another fingerprint."""
        known = self.seen.get((action, token))
        if known is None:
            return None
        if known[0] != fingerprint:
            raise TokenMismatch(token)
        return known[1]

    def remember(self, action: str, token: str, fingerprint: str, identifier: str) -> None:
        self.seen[(action, token)] = (fingerprint, identifier)
