"""Child processes: started, watched, restarted and stopped, and ended with the process that started them."""
