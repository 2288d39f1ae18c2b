"""How the installation itself is: examined, counted day by day, and put right by staff where something hangs."""
