"""Agents to start from; `examples/signal_agent.py` is the one that the README shows."""
