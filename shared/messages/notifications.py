"""Notifications: one delivery is to be sent, was sent, or failed. Owned by the notifier."""

from shared.messages.base import Command, Event
from shared.messages.deliveries import Delivery


class DeliverNotification(Command, entity="notification", name="deliver", owner="notifier", senders=("monitor",)):
    """Send one delivery (the aggregate)."""


class NotificationEvent(Event):
    """The aggregate is the delivery."""

    delivery: Delivery


class NotificationSent(NotificationEvent, entity="notification", name="sent", owner="notifier"):
    pass


class NotificationFailed(NotificationEvent, entity="notification", name="failed", owner="notifier"):
    """Every attempt allowed was refused, or one was refused for good."""
