"""What one sets once: ``extractscan.toml``, its settings, and what is wrong with one."""
