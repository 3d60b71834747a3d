-- The tables of recovery as its migration 0001 makes them. Frozen once released: a change is a migration of its own.

CREATE TABLE backup_configurations (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    resource_id UUID NOT NULL,
    plan_id UUID NOT NULL,
    backup_type VARCHAR(16) NOT NULL,
    frequency VARCHAR(16) NOT NULL,
    retention JSONB NOT NULL,
    destinations TEXT[] NOT NULL,
    encryption BOOLEAN NOT NULL,
    compression BOOLEAN NOT NULL,
    status VARCHAR(16) NOT NULL,
    last_run_at TIMESTAMP WITH TIME ZONE,
    last_success_at TIMESTAMP WITH TIME ZONE,
    next_run_at TIMESTAMP WITH TIME ZONE NOT NULL,
    runs INTEGER DEFAULT '0' NOT NULL,
    successes INTEGER DEFAULT '0' NOT NULL,
    last_size_gb BIGINT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER DEFAULT '1' NOT NULL,
    CONSTRAINT pk_backup_configurations PRIMARY KEY (id),
    CONSTRAINT uq_backup_configurations_plan_id_resource_id UNIQUE (plan_id, resource_id)
);
CREATE INDEX ix_backup_configurations_due ON backup_configurations (next_run_at) WHERE status = 'active';
CREATE INDEX ix_backup_configurations_organization_id_created_at ON backup_configurations (organization_id, created_at);

CREATE TABLE backup_executions (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    backup_type VARCHAR(16) NOT NULL,
    target UUID NOT NULL,
    target_name TEXT,
    configuration_id UUID,
    plan_id UUID,
    method VARCHAR(16) NOT NULL,
    status VARCHAR(16) NOT NULL,
    provider_id UUID NOT NULL,
    source_region VARCHAR(64) NOT NULL,
    destinations TEXT[] NOT NULL,
    machine JSONB,
    snapshots JSONB DEFAULT '[]'::jsonb NOT NULL,
    size_gb BIGINT,
    retention JSONB NOT NULL,
    notes TEXT,
    recovery_point_at TIMESTAMP WITH TIME ZONE,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    completed_at TIMESTAMP WITH TIME ZONE,
    expires_at TIMESTAMP WITH TIME ZONE,
    deleted_at TIMESTAMP WITH TIME ZONE,
    error JSONB,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER DEFAULT '1' NOT NULL,
    CONSTRAINT pk_backup_executions PRIMARY KEY (id)
);
CREATE INDEX ix_backup_executions_expiry ON backup_executions (expires_at) WHERE status IN ('completed', 'deletion_failed');
CREATE INDEX ix_backup_executions_organization_id_created_at ON backup_executions (organization_id, created_at);
CREATE INDEX ix_backup_executions_target_recovery_point_at ON backup_executions (target, recovery_point_at);
CREATE UNIQUE INDEX uq_backup_executions_running ON backup_executions (configuration_id) WHERE status = 'in_progress';

CREATE TABLE disaster_recovery_plans (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    plan_name TEXT COLLATE "C" NOT NULL,
    description TEXT,
    plan_type VARCHAR(32) NOT NULL,
    primary_region JSONB NOT NULL,
    disaster_recovery_regions JSONB NOT NULL,
    resources UUID[] NOT NULL,
    recovery_objectives JSONB NOT NULL,
    backup_strategy JSONB NOT NULL,
    failover_procedures JSONB NOT NULL,
    automated_failover BOOLEAN NOT NULL,
    testing_schedule JSONB NOT NULL,
    critical_priority BOOLEAN NOT NULL,
    status VARCHAR(16) NOT NULL,
    last_tested TIMESTAMP WITH TIME ZONE,
    last_failed_over TIMESTAMP WITH TIME ZONE,
    tests INTEGER DEFAULT '0' NOT NULL,
    tests_passed INTEGER DEFAULT '0' NOT NULL,
    last_measured_rto_s FLOAT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER DEFAULT '1' NOT NULL,
    CONSTRAINT pk_disaster_recovery_plans PRIMARY KEY (id),
    CONSTRAINT uq_disaster_recovery_plans_organization_id_plan_name UNIQUE (organization_id, plan_name),
    CONSTRAINT ck_disaster_recovery_plans_tests CHECK (tests_passed <= tests)
);
CREATE INDEX ix_disaster_recovery_plans_organization_id_created_at ON disaster_recovery_plans (organization_id, created_at);

CREATE TABLE dr_test_executions (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    plan_id UUID NOT NULL,
    plan_name TEXT NOT NULL,
    test_type VARCHAR(32) NOT NULL,
    region JSONB NOT NULL,
    status VARCHAR(16) NOT NULL,
    rto_objective_minutes INTEGER NOT NULL,
    rpo_objective_minutes INTEGER NOT NULL,
    report JSONB,
    not_cleaned JSONB DEFAULT '{}'::jsonb NOT NULL,
    error JSONB,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    cleaning_since TIMESTAMP WITH TIME ZONE,
    verified_at TIMESTAMP WITH TIME ZONE,
    completed_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER DEFAULT '1' NOT NULL,
    CONSTRAINT pk_dr_test_executions PRIMARY KEY (id)
);
CREATE INDEX ix_dr_test_executions_organization_id_created_at ON dr_test_executions (organization_id, created_at);
CREATE UNIQUE INDEX uq_dr_test_executions_running ON dr_test_executions (plan_id) WHERE status = 'in_progress';

CREATE TABLE retention_examinations (
    organization_id UUID NOT NULL,
    examined_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_retention_examinations PRIMARY KEY (organization_id)
);
