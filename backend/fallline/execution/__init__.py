"""Who computes when: fair turns for many experiments, and the bridge between threads and the event loop."""
