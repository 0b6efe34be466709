"""What people ask for. Every function refuses loudly; passwords are hashed between transactions,
never inside one."""
