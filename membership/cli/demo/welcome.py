"""What the demo says once everything answers: where to go and what to try."""

from rich.console import Console

from membership.cli.demo.plan import Plan


def welcome(console: Console, plan: Plan) -> None:
    """Print every address, one to a line, so that a terminal makes links of them."""
    places = [
        ("Front page", "/", "what support makes possible"),
        ("An article", "/demo/article", "the appeal stands at its foot"),
        ("Contribute", "/contribute", "become a patron"),
        ("Account", "/account", "sign in with the mail that lands at the next address"),
        ("Mail", "/demo/mail", "every mail that the newsroom sends"),
        ("Polls", "/polls", "one was counted; the next waits at the desk to be opened"),
        ("Desk of staff", "/staff", "sign in as editor@example.org"),
    ]
    rows = [(name, plan.site + path, why) for name, path, why in places]
    if not plan.stripe.is_real:
        rows.append(("Stripe stand-in", plan.sandbox + "/_sandbox", "its books; move the clock to see renewals"))
    width = max(len(address) for _, address, _ in rows)
    console.print("\n[bold]The newsroom is open.[/bold] Everything runs on this machine only.\n")
    for name, address, why in rows:
        console.print(f"  {name:<16}[cyan]{address:<{width}}[/cyan]  {why}")
    console.print(
        "\n  A card that works:   4242 4242 4242 4242, any later month, any three digits"
        "\n  A declined card:     4000 0000 0000 0002 (nothing is booked; try again with another)"
    )
    if plan.stripe.is_real:
        console.print("\n  Payments go to Stripe's test mode, with your key. Keep `stripe listen` running.")
    console.print(f"\n  Data and logs:       {plan.data} (delete it to begin afresh)")
    console.print(f"  Commands about it:   . {plan.settings_file}; .venv/bin/membership staff list")
    console.print("  To stop:             Ctrl-C\n")
