-- The tables of costs as its migration 0001 makes them. Frozen once released: a change is a migration of its own.

CREATE TABLE budget (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    budget_name TEXT NOT NULL,
    budget_scope VARCHAR(16) NOT NULL,
    scope_filters JSONB NOT NULL,
    budget_amount NUMERIC(15, 4) NOT NULL,
    currency VARCHAR(3) NOT NULL,
    budget_period VARCHAR(16) NOT NULL,
    alert_thresholds JSONB NOT NULL,
    notification_channels JSONB NOT NULL,
    revision INTEGER NOT NULL,
    current_spend NUMERIC(28, 12) NOT NULL,
    forecast_spend NUMERIC(28, 12) NOT NULL,
    period_start TIMESTAMP WITH TIME ZONE NOT NULL,
    period_end TIMESTAMP WITH TIME ZONE NOT NULL,
    evaluated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_budget PRIMARY KEY (id)
);
CREATE INDEX ix_budget_organization_id_created_at ON budget (organization_id, created_at);

CREATE TABLE cloud_costs (
    resource_id UUID NOT NULL,
    day DATE NOT NULL,
    organization_id UUID NOT NULL,
    provider_id UUID NOT NULL,
    provider_name VARCHAR(32) NOT NULL,
    environment VARCHAR(32) NOT NULL,
    project TEXT NOT NULL,
    resource_type VARCHAR(32) NOT NULL,
    category VARCHAR(16) NOT NULL,
    item VARCHAR(64) NOT NULL,
    region VARCHAR(64) NOT NULL,
    usage_hours NUMERIC(18, 9) NOT NULL,
    amount NUMERIC(28, 12),
    currency VARCHAR(3) NOT NULL,
    CONSTRAINT pk_cloud_costs PRIMARY KEY (resource_id, day, category)
);

CREATE TABLE daily_cost (
    day DATE NOT NULL,
    organization_id UUID NOT NULL,
    provider_id UUID NOT NULL,
    provider_name VARCHAR(32) NOT NULL,
    environment VARCHAR(32) NOT NULL,
    project TEXT NOT NULL,
    resource_type VARCHAR(32) NOT NULL,
    category VARCHAR(16) NOT NULL,
    amount NUMERIC(28, 12) NOT NULL,
    CONSTRAINT pk_daily_cost PRIMARY KEY (day, organization_id, provider_id, provider_name, environment, project, resource_type, category)
);
CREATE INDEX ix_daily_cost_organization_id_day ON daily_cost (organization_id, day);

CREATE TABLE meter (
    resource_id UUID NOT NULL,
    organization_id UUID NOT NULL,
    provider_id UUID NOT NULL,
    provider_name VARCHAR(32) NOT NULL,
    environment VARCHAR(32) NOT NULL,
    project TEXT NOT NULL,
    resource_type VARCHAR(32) NOT NULL,
    category VARCHAR(16) NOT NULL,
    item VARCHAR(64) NOT NULL,
    usd_per_hour NUMERIC(28, 12),
    unpriced TEXT,
    metered_until TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_meter PRIMARY KEY (resource_id, category)
);
CREATE INDEX ix_meter_organization_id_metered_until ON meter (organization_id, metered_until);

CREATE TABLE metered_resource (
    resource_id UUID NOT NULL,
    organization_id UUID NOT NULL,
    versions INTEGER NOT NULL,
    is_open BOOLEAN NOT NULL,
    price_hash VARCHAR(64) NOT NULL,
    announced JSONB NOT NULL,
    announced_version INTEGER NOT NULL,
    total NUMERIC(28, 12) NOT NULL,
    metered_until TIMESTAMP WITH TIME ZONE NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_metered_resource PRIMARY KEY (resource_id)
);
CREATE INDEX ix_metered_resource_changed ON metered_resource (changed_at) WHERE changed_at IS NOT NULL;
CREATE INDEX ix_metered_resource_open ON metered_resource (metered_until) WHERE is_open;

CREATE TABLE price (
    provider_name VARCHAR(32) NOT NULL,
    region VARCHAR(64) NOT NULL,
    item VARCHAR(64) NOT NULL,
    valid_from DATE NOT NULL,
    unit VARCHAR(16) NOT NULL,
    usd NUMERIC(18, 9) NOT NULL,
    source TEXT NOT NULL,
    CONSTRAINT pk_price PRIMARY KEY (provider_name, region, item, valid_from)
);

CREATE TABLE price_list (
    name VARCHAR(64) NOT NULL,
    content_hash VARCHAR(64) NOT NULL,
    rows INTEGER NOT NULL,
    loaded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_price_list PRIMARY KEY (name)
);

CREATE TABLE transition (
    resource_id UUID NOT NULL,
    version INTEGER NOT NULL,
    organization_id UUID NOT NULL,
    resource_status VARCHAR(16) NOT NULL,
    region VARCHAR(64) NOT NULL,
    resource_subtype VARCHAR(64) NOT NULL,
    configuration JSONB NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_transition PRIMARY KEY (resource_id, version)
);

CREATE TABLE budget_crossings (
    budget_id UUID NOT NULL,
    revision INTEGER NOT NULL,
    period_start TIMESTAMP WITH TIME ZONE NOT NULL,
    basis VARCHAR(16) NOT NULL,
    threshold_percent NUMERIC(8, 3) NOT NULL,
    organization_id UUID NOT NULL,
    spend NUMERIC(28, 12) NOT NULL,
    crossed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_budget_crossings PRIMARY KEY (budget_id, revision, period_start, basis, threshold_percent),
    CONSTRAINT fk_budget_crossings_budget_id FOREIGN KEY(budget_id) REFERENCES budget (id) ON DELETE CASCADE
);
