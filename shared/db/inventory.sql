-- The tables of shared/db/inventory.py as migration 0001 of monitor, costs and recovery makes them. Frozen once released.

CREATE TABLE known_resource (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    provider_id UUID NOT NULL,
    provider_name VARCHAR(32) NOT NULL,
    region VARCHAR(64) NOT NULL,
    resource_id TEXT,
    resource_name TEXT NOT NULL,
    resource_type VARCHAR(32) NOT NULL,
    resource_subtype VARCHAR(64) NOT NULL,
    resource_status VARCHAR(16) NOT NULL,
    environment VARCHAR(32) NOT NULL,
    project TEXT NOT NULL,
    configuration JSONB NOT NULL,
    tags JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    terminated_at TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    CONSTRAINT pk_known_resource PRIMARY KEY (id)
);
CREATE INDEX ix_known_resource_organization_status ON known_resource (organization_id, resource_status);
CREATE INDEX ix_known_resource_provider_region ON known_resource (provider_id, region);

CREATE TABLE known_provider (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    provider_name VARCHAR(32) NOT NULL,
    display_name TEXT NOT NULL,
    regions JSONB NOT NULL,
    account_id TEXT,
    metrics_period_s INTEGER NOT NULL,
    status VARCHAR(16) NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_known_provider PRIMARY KEY (id)
);
CREATE INDEX ix_known_provider_organization ON known_provider (organization_id);
