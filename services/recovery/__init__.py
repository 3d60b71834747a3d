"""Recovery: makes sure that what is lost can be had again, and proves it.

purpose   disaster recovery plans; backups of machines as snapshots, copied to other regions and kept as long as their
          policy says; drills that restore a plan's resources in isolation, verify, measure RTO and RPO, and clean up
owns      disaster_recovery_plans, backup_configurations, backup_executions, dr_test_executions; the messages of
          shared/messages/{plans,backups,drills}.py
consumes  resource.* and provider.* events (inventory), credentials from the KV bucket
emits     plan.created|updated, backup.started|completed|failed|deleted, drill.started|completed|failed, operation.*,
          audit.recorded
"""
