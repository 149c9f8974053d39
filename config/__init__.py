"""What a deployment chooses: settings, plans, ladders."""
