"""What does it cost? Pure decisions: intervals, prices, projections, budgets. Time is an argument."""
