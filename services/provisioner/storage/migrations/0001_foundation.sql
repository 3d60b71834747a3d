-- The tables of provisioner as its migration 0001 makes them. Frozen once released: a change is a migration of its own.

CREATE TABLE cloud_providers (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    provider_name VARCHAR(32) NOT NULL,
    provider_type VARCHAR(16) NOT NULL,
    display_name TEXT COLLATE "C" NOT NULL,
    description TEXT,
    regions JSONB NOT NULL,
    credentials_config BYTEA,
    key_id VARCHAR(64),
    account_id TEXT NOT NULL,
    capabilities JSONB NOT NULL,
    cost_budget NUMERIC(16, 2),
    metrics_period_s INTEGER NOT NULL,
    is_active BOOLEAN NOT NULL,
    health_status VARCHAR(16) NOT NULL,
    health_reason TEXT,
    last_health_check TIMESTAMP WITH TIME ZONE,
    last_sync_at TIMESTAMP WITH TIME ZONE,
    created_by TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    removed_at TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    CONSTRAINT pk_cloud_providers PRIMARY KEY (id),
    CONSTRAINT ck_cloud_providers_provider_name CHECK (provider_name IN ('aws', 'azure', 'gcp', 'digitalocean', 'linode', 'vultr')),
    CONSTRAINT ck_cloud_providers_provider_type CHECK (provider_type IN ('primary', 'secondary', 'backup', 'edge', 'development')),
    CONSTRAINT ck_cloud_providers_health_status CHECK (health_status IN ('healthy', 'degraded', 'critical', 'unknown'))
);
CREATE INDEX ix_cloud_providers_created ON cloud_providers (organization_id, created_at, id);
CREATE INDEX ix_cloud_providers_key ON cloud_providers (key_id) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX uq_cloud_providers_account ON cloud_providers (organization_id, provider_name, account_id) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX uq_cloud_providers_display_name ON cloud_providers (organization_id, display_name) WHERE removed_at IS NULL;

CREATE TABLE cloud_regions (
    provider_id UUID NOT NULL,
    region_code VARCHAR(64) NOT NULL,
    organization_id UUID NOT NULL,
    region_name TEXT NOT NULL,
    availability_zones JSONB,
    geographic_location JSONB,
    capacity_status VARCHAR(16) DEFAULT 'unknown' NOT NULL,
    discovered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_cloud_regions PRIMARY KEY (provider_id, region_code),
    CONSTRAINT ck_cloud_regions_capacity_status CHECK (capacity_status IN ('unknown', 'available', 'limited', 'unavailable')),
    CONSTRAINT fk_cloud_regions_provider_id FOREIGN KEY(provider_id) REFERENCES cloud_providers (id)
);

CREATE TABLE cloud_resources (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    provider_id UUID NOT NULL,
    provider_name VARCHAR(32) NOT NULL,
    region VARCHAR(64) NOT NULL,
    resource_id TEXT,
    creation_token TEXT,
    resource_name TEXT COLLATE "C" NOT NULL,
    resource_type VARCHAR(32) NOT NULL,
    resource_subtype VARCHAR(64) NOT NULL,
    size_category VARCHAR(16),
    availability_zone TEXT,
    private_ip TEXT,
    public_ip TEXT,
    configuration JSONB NOT NULL,
    resource_status VARCHAR(16) NOT NULL,
    status_reason TEXT,
    operation_id UUID,
    environment VARCHAR(32) NOT NULL,
    project TEXT NOT NULL,
    is_wedding_critical BOOLEAN NOT NULL,
    health_status VARCHAR(16) DEFAULT 'unknown' NOT NULL,
    performance_metrics JSONB DEFAULT '{}'::jsonb NOT NULL,
    health_version INTEGER DEFAULT '0' NOT NULL,
    cost_tracking JSONB DEFAULT '{}'::jsonb NOT NULL,
    cost_version INTEGER DEFAULT '0' NOT NULL,
    created_by TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    terminated_at TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    CONSTRAINT pk_cloud_resources PRIMARY KEY (id),
    CONSTRAINT ck_cloud_resources_resource_type CHECK (resource_type IN ('compute', 'storage', 'database', 'network', 'load_balancer', 'cdn', 'dns', 'analytics')),
    CONSTRAINT ck_cloud_resources_resource_status CHECK (resource_status IN ('provisioning', 'running', 'stopped', 'stopping', 'starting', 'error', 'terminated')),
    CONSTRAINT ck_cloud_resources_health_status CHECK (health_status IN ('healthy', 'warning', 'critical', 'unknown')),
    CONSTRAINT ck_cloud_resources_environment CHECK (environment IN ('development', 'testing', 'staging', 'production')),
    CONSTRAINT fk_cloud_resources_provider_id FOREIGN KEY(provider_id) REFERENCES cloud_providers (id)
);
CREATE INDEX ix_cloud_resources_created ON cloud_resources (organization_id, created_at, id);
CREATE INDEX ix_cloud_resources_environment ON cloud_resources (organization_id, environment, created_at, id);
CREATE INDEX ix_cloud_resources_health ON cloud_resources (organization_id, health_status, created_at, id);
CREATE INDEX ix_cloud_resources_name ON cloud_resources (organization_id, resource_name, id);
CREATE INDEX ix_cloud_resources_project ON cloud_resources (organization_id, project, created_at, id);
CREATE INDEX ix_cloud_resources_provider ON cloud_resources (organization_id, provider_id, created_at, id);
CREATE INDEX ix_cloud_resources_provider_name ON cloud_resources (organization_id, provider_name, created_at, id);
CREATE INDEX ix_cloud_resources_region ON cloud_resources (organization_id, region, created_at, id);
CREATE INDEX ix_cloud_resources_status ON cloud_resources (organization_id, resource_status, created_at, id);
CREATE INDEX ix_cloud_resources_type ON cloud_resources (organization_id, resource_type, resource_subtype, created_at, id);

CREATE TABLE resource_tags (
    organization_id UUID NOT NULL,
    resource_id UUID NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    CONSTRAINT pk_resource_tags PRIMARY KEY (organization_id, resource_id, key),
    CONSTRAINT fk_resource_tags_resource_id FOREIGN KEY(resource_id) REFERENCES cloud_resources (id)
);
CREATE INDEX ix_resource_tags_key ON resource_tags (organization_id, key, value, resource_id);
