"""Who somebody is: people, sign-in, sessions, roles, the timeline of a member."""
