"""Costs: what does the infrastructure cost, and is it within budget?

owns      list prices, usage of each resource, daily costs, budgets and their crossings
consumes  resource.* and provider.* events of the provisioner (its own copy of the inventory, and the transitions)
emits     resource.cost_changed (what a resource costs, for the provisioner's row),
          budget.created|updated|deleted|exceeded, audit.recorded
answers   the cost overview and breakdown; budgets: create, get, list, update, delete

A cost is hours x list price, from the times of events; what has no price is unknown and never 0. What runs now is
counted by the second when it is read; rows are written each hour and at each change.
"""
