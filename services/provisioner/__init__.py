"""The provisioner: accounts at clouds, and everything that runs there.

Purpose   add accounts of an organization at a cloud; create, stop, start, tag and terminate resources in them; read the
          accounts by scope, so that the inventory is complete or says that it is not
Owns      providers (with their sealed credentials), regions, resources, tags, scopes, history, dependencies;
          the KV bucket CREDENTIALS
Answers   Create/Get/List/Update/RemoveProvider, TestConnection, ListRegions, RotateCredentials, GetTrust,
          Create/Get/List/Update/Start/Stop/DeleteResource, ListInventory, ListProviderInventory,
          SyncProvider, GetProviderSync, ListHistory, GetDependencies, ListServices, ProvisionFleet, ScaleGroup
Does      ProvisionResource, PowerOffResource, PowerOnResource, TerminateResource, ScanProvider, CompleteFleet,
          CompleteGroup (journal); TagResource,
          CheckProvider, ReleaseResources
Consumes  resource.health_changed (monitor), resource.cost_changed (costs)
Emits     provider.added|updated|health_changed|removed,
          resource.discovered|requested|updated|started|stopped|failed|terminated, operation.*, audit.recorded
"""
