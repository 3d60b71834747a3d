-- What the provisioner's migration 0003 makes. Frozen once released: a change is a migration of its own.

ALTER TABLE cloud_resources
    ADD COLUMN origin VARCHAR(16) DEFAULT 'provisioned' NOT NULL,
    ADD COLUMN observed JSONB DEFAULT '{}'::jsonb NOT NULL,
    ADD COLUMN placed_at TIMESTAMP WITH TIME ZONE,
    ADD CONSTRAINT ck_cloud_resources_origin CHECK (origin IN ('provisioned', 'discovered')),
    DROP CONSTRAINT ck_cloud_resources_resource_status,
    ADD CONSTRAINT ck_cloud_resources_resource_status CHECK (resource_status IN ('provisioning', 'running', 'stopped', 'stopping', 'starting', 'error', 'terminated', 'available'));
CREATE INDEX ix_cloud_resources_place ON cloud_resources (organization_id, provider_id, region, resource_id);
CREATE INDEX ix_cloud_resources_token ON cloud_resources (organization_id, creation_token) WHERE creation_token IS NOT NULL;
ALTER TABLE cloud_providers
    ADD COLUMN sync_queued_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN regions_read_at TIMESTAMP WITH TIME ZONE;
-- Row level security is forced on the owner too, for whom there is no policy: it would change no row.
ALTER TABLE cloud_providers NO FORCE ROW LEVEL SECURITY;
UPDATE cloud_providers SET regions_read_at = last_sync_at, last_sync_at = NULL;
ALTER TABLE cloud_providers FORCE ROW LEVEL SECURITY;

CREATE TABLE inventory_scopes (
    provider_id UUID NOT NULL,
    region VARCHAR(64) NOT NULL,
    resource_subtype VARCHAR(64) NOT NULL,
    organization_id UUID NOT NULL,
    resource_type VARCHAR(32) NOT NULL,
    generation BIGINT DEFAULT '0' NOT NULL,
    attempt_id UUID,
    began_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    complete_at TIMESTAMP WITH TIME ZONE,
    things INTEGER DEFAULT '0' NOT NULL,
    failures INTEGER DEFAULT '0' NOT NULL,
    error JSONB,
    CONSTRAINT pk_inventory_scopes PRIMARY KEY (provider_id, region, resource_subtype),
    CONSTRAINT fk_inventory_scopes_provider_id FOREIGN KEY(provider_id) REFERENCES cloud_providers (id)
);
CREATE INDEX ix_inventory_scopes_organization ON inventory_scopes (organization_id, provider_id);

CREATE TABLE resource_history (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    resource_id UUID NOT NULL,
    version INTEGER NOT NULL,
    event VARCHAR(32) NOT NULL,
    generation BIGINT NOT NULL,
    observed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    changes JSONB NOT NULL,
    CONSTRAINT pk_resource_history PRIMARY KEY (id),
    CONSTRAINT fk_resource_history_resource_id FOREIGN KEY(resource_id) REFERENCES cloud_resources (id)
);
CREATE INDEX ix_resource_history_resource ON resource_history (organization_id, resource_id, observed_at, id);

CREATE TABLE resource_dependencies (
    source_id UUID NOT NULL,
    relation VARCHAR(32) NOT NULL,
    target TEXT NOT NULL,
    organization_id UUID NOT NULL,
    provider_id UUID NOT NULL,
    region VARCHAR(64) NOT NULL,
    hard BOOLEAN NOT NULL,
    CONSTRAINT pk_resource_dependencies PRIMARY KEY (source_id, relation, target),
    CONSTRAINT fk_resource_dependencies_source_id FOREIGN KEY(source_id) REFERENCES cloud_resources (id)
);
CREATE INDEX ix_resource_dependencies_target ON resource_dependencies (organization_id, provider_id, region, target);
