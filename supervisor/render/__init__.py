"""What runs the workers elsewhere, made from the topology: Kubernetes, systemd, Compose."""
