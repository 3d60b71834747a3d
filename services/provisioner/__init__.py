"""The provisioner: accounts at clouds, and everything that runs there.

Purpose   add accounts of an organization at a cloud; create, stop, start, tag and terminate resources in them
Owns      providers (with their sealed credentials), regions, resources, tags; the KV bucket CREDENTIALS
Answers   Create/Get/List/Update/RemoveProvider, TestConnection, ListRegions, RotateCredentials,
          Create/Get/List/Update/Start/Stop/DeleteResource, ListInventory, ListProviderInventory
Does      ProvisionResource, PowerOffResource, PowerOnResource, TerminateResource (journal); TagResource, CheckProvider
Consumes  resource.health_changed (monitor), resource.cost_changed (costs)
Emits     provider.added|updated|health_changed|removed, resource.requested|updated|started|stopped|failed|terminated,
          operation.*, audit.recorded
"""
