"""Monitor: what is measured of every resource, what follows from it, and who is told.

Owns      metrics, health, alert rules, alerts, notification channels, deliveries.
Consumes  provider.* and resource.* (its copy of the inventory), budget.*, METRICS batches; its commands CollectMetrics
          (monitor) and DeliverNotification (the notifier).
Emits     resource.health_changed, alert.*, alert_rule.*, channel.*, notification.*, audit.recorded; METRICS batches.
Processes `python -m services.monitor` and `python -m services.monitor.notifier`, over the same rooms and database. The
          notifier subscribes to alerts as any stranger would.
"""
