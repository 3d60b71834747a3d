-- The tables of monitor as its migration 0001 makes them. Frozen once released: a change is a migration of its own.

CREATE TABLE alert (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    fingerprint TEXT NOT NULL,
    rule_id UUID,
    alert_name VARCHAR(200) NOT NULL,
    description TEXT,
    alert_type VARCHAR(32) NOT NULL,
    severity_level VARCHAR(16) NOT NULL,
    resource_id UUID,
    resource_name TEXT,
    provider_id UUID,
    metric VARCHAR(64),
    operator VARCHAR(2),
    current_value FLOAT,
    threshold FLOAT,
    current_values JSONB NOT NULL,
    status VARCHAR(16) NOT NULL,
    triggered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    acknowledged_at TIMESTAMP WITH TIME ZONE,
    acknowledged_by TEXT,
    resolved_at TIMESTAMP WITH TIME ZONE,
    resolved_by TEXT,
    resolution_notes TEXT,
    suppressed_until TIMESTAMP WITH TIME ZONE,
    notification_channels JSONB NOT NULL,
    recipient_list JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_alert PRIMARY KEY (id)
);
CREATE INDEX ix_alert_closed ON alert (resolved_at) WHERE resolved_at IS NOT NULL;
CREATE INDEX ix_alert_open_resource ON alert (resource_id) WHERE status IN ('active', 'acknowledged', 'suppressed');
CREATE INDEX ix_alert_organization_triggered ON alert (organization_id, triggered_at, id);
CREATE UNIQUE INDEX uq_alert_open ON alert (organization_id, fingerprint) WHERE status IN ('active', 'acknowledged', 'suppressed');

CREATE TABLE alert_rule (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    alert_name VARCHAR(200) NOT NULL,
    description TEXT,
    alert_type VARCHAR(32) NOT NULL,
    severity_level VARCHAR(16) NOT NULL,
    alert_conditions JSONB NOT NULL,
    resource_id UUID,
    provider_id UUID,
    notification_channels JSONB NOT NULL,
    recipient_list JSONB NOT NULL,
    auto_remediation JSONB NOT NULL,
    is_enabled BOOLEAN NOT NULL,
    last_error TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_alert_rule PRIMARY KEY (id)
);
CREATE INDEX ix_alert_rule_organization_created ON alert_rule (organization_id, created_at, id);

CREATE TABLE alert_state (
    rule_id UUID NOT NULL,
    resource_id UUID NOT NULL,
    organization_id UUID NOT NULL,
    state VARCHAR(16) NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_alert_state PRIMARY KEY (rule_id, resource_id)
);
CREATE INDEX ix_alert_state_resource_id ON alert_state (resource_id);

CREATE TABLE builtin_choice (
    organization_id UUID NOT NULL,
    rule_id UUID NOT NULL,
    is_enabled BOOLEAN NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_builtin_choice PRIMARY KEY (organization_id, rule_id)
);

CREATE TABLE channel (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    channel_type VARCHAR(16) NOT NULL,
    name VARCHAR(200) NOT NULL,
    config JSONB NOT NULL,
    sealed_config BYTEA NOT NULL,
    key_id VARCHAR(64),
    minimum_severity VARCHAR(16) NOT NULL,
    is_enabled BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    CONSTRAINT pk_channel PRIMARY KEY (id)
);
CREATE INDEX ix_channel_key ON channel (key_id) WHERE deleted_at IS NULL;
CREATE INDEX ix_channel_organization_created ON channel (organization_id, created_at, id);

CREATE TABLE cloud_calls (
    day DATE NOT NULL,
    provider_id UUID NOT NULL,
    operation VARCHAR(64) NOT NULL,
    organization_id UUID NOT NULL,
    provider_name VARCHAR(32) NOT NULL,
    api_calls BIGINT NOT NULL,
    metrics_requested BIGINT NOT NULL,
    CONSTRAINT pk_cloud_calls PRIMARY KEY (day, provider_id, operation)
);

CREATE TABLE collected (
    resource_id UUID NOT NULL,
    organization_id UUID NOT NULL,
    asked_until TIMESTAMP WITH TIME ZONE,
    tried_until TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_collected PRIMARY KEY (resource_id)
);

CREATE TABLE collection (
    provider_id UUID NOT NULL,
    region VARCHAR(64) NOT NULL,
    organization_id UUID NOT NULL,
    queued_at TIMESTAMP WITH TIME ZONE,
    started_at TIMESTAMP WITH TIME ZONE,
    succeeded_at TIMESTAMP WITH TIME ZONE,
    error TEXT,
    CONSTRAINT pk_collection PRIMARY KEY (provider_id, region)
);

CREATE TABLE delivery (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    event_id UUID NOT NULL,
    channel_id UUID NOT NULL,
    alert_id UUID,
    kind VARCHAR(16) NOT NULL,
    content JSONB NOT NULL,
    status VARCHAR(16) NOT NULL,
    attempt INTEGER NOT NULL,
    possible_repeat BOOLEAN NOT NULL,
    next_attempt_at TIMESTAMP WITH TIME ZONE,
    lease_until TIMESTAMP WITH TIME ZONE,
    last_error TEXT,
    response_status INTEGER,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    CONSTRAINT pk_delivery PRIMARY KEY (id),
    CONSTRAINT uq_delivery_event_id_channel_id UNIQUE (event_id, channel_id)
);
CREATE INDEX ix_delivery_channel_created ON delivery (channel_id, created_at, id);
CREATE INDEX ix_delivery_finished ON delivery (created_at) WHERE status IN ('sent', 'failed');
CREATE INDEX ix_delivery_unfinished ON delivery (created_at) WHERE status NOT IN ('sent', 'failed');

CREATE TABLE delivery_attempt (
    delivery_id UUID NOT NULL,
    attempt INTEGER NOT NULL,
    organization_id UUID NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    outcome VARCHAR(16),
    response_status INTEGER,
    error TEXT,
    CONSTRAINT pk_delivery_attempt PRIMARY KEY (delivery_id, attempt)
);

CREATE TABLE infrastructure_monitoring (
    resource_id UUID NOT NULL,
    time TIMESTAMP WITH TIME ZONE NOT NULL,
    organization_id UUID NOT NULL,
    provider_id UUID NOT NULL,
    cpu_utilization FLOAT,
    memory_utilization FLOAT,
    disk_utilization FLOAT,
    network_in_mbps FLOAT,
    network_out_mbps FLOAT,
    response_time_ms FLOAT,
    error_rate FLOAT,
    requests_per_second FLOAT,
    health_score INTEGER,
    CONSTRAINT pk_infrastructure_monitoring PRIMARY KEY (resource_id, time)
)
 PARTITION BY RANGE (time);

CREATE TABLE infrastructure_monitoring_daily (
    resource_id UUID NOT NULL,
    day DATE NOT NULL,
    organization_id UUID NOT NULL,
    provider_id UUID NOT NULL,
    cpu_utilization_min FLOAT,
    cpu_utilization_avg FLOAT,
    cpu_utilization_max FLOAT,
    cpu_utilization_count INTEGER NOT NULL,
    memory_utilization_min FLOAT,
    memory_utilization_avg FLOAT,
    memory_utilization_max FLOAT,
    memory_utilization_count INTEGER NOT NULL,
    disk_utilization_min FLOAT,
    disk_utilization_avg FLOAT,
    disk_utilization_max FLOAT,
    disk_utilization_count INTEGER NOT NULL,
    network_in_mbps_min FLOAT,
    network_in_mbps_avg FLOAT,
    network_in_mbps_max FLOAT,
    network_in_mbps_count INTEGER NOT NULL,
    network_out_mbps_min FLOAT,
    network_out_mbps_avg FLOAT,
    network_out_mbps_max FLOAT,
    network_out_mbps_count INTEGER NOT NULL,
    response_time_ms_min FLOAT,
    response_time_ms_avg FLOAT,
    response_time_ms_max FLOAT,
    response_time_ms_count INTEGER NOT NULL,
    error_rate_min FLOAT,
    error_rate_avg FLOAT,
    error_rate_max FLOAT,
    error_rate_count INTEGER NOT NULL,
    requests_per_second_min FLOAT,
    requests_per_second_avg FLOAT,
    requests_per_second_max FLOAT,
    requests_per_second_count INTEGER NOT NULL,
    CONSTRAINT pk_infrastructure_monitoring_daily PRIMARY KEY (resource_id, day)
);
CREATE INDEX ix_infrastructure_monitoring_daily_day ON infrastructure_monitoring_daily (day);

CREATE TABLE rolled_up_day (
    day DATE NOT NULL,
    completed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_rolled_up_day PRIMARY KEY (day)
);

CREATE TABLE rule_revision (
    organization_id UUID NOT NULL,
    revision BIGINT NOT NULL,
    CONSTRAINT pk_rule_revision PRIMARY KEY (organization_id)
);

CREATE TABLE telemetry (
    resource_id UUID NOT NULL,
    organization_id UUID NOT NULL,
    last_time TIMESTAMP WITH TIME ZONE,
    latest JSONB DEFAULT '{}'::jsonb NOT NULL,
    health_score INTEGER,
    health_status VARCHAR(16) DEFAULT 'unknown' NOT NULL,
    health_version INTEGER DEFAULT '0' NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_telemetry PRIMARY KEY (resource_id)
)
 WITH (fillfactor = 50);
