"""Which providers are served, and where is each one's wire protocol?"""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from deploy.local.clouds.world.provider import Provider

PROVIDERS: Mapping[str, str] = {
    "azure": "deploy.local.clouds.azure.provider:AzureProvider",
    "digitalocean": "deploy.local.clouds.digitalocean.provider:DigitalOcean",
    "gcp": "deploy.local.clouds.gcp.provider:GcpProvider",
    "linode": "deploy.local.clouds.linode.provider:Linode",
    "vultr": "deploy.local.clouds.vultr.provider:Vultr",
}
"""`module:class` by name."""


def providers() -> dict[str, Provider]:
    """One object of each provider."""
    found = {}
    for name, place in PROVIDERS.items():
        module, _, attribute = place.partition(":")
        found[name] = getattr(importlib.import_module(module), attribute)()
    return found
