"""`kinward decide`: answer one question as the gate does, and explain the answer."""

import click
import msgspec

from kinward.ground.errors import Invalid, KinwardError
from kinward.policy import (
    Decision,
    Pack,
    Request,
    State,
    answer_request,
    explain_decision,
    ids_of,
    language_of,
    load_pack,
    shipped_packs,
    state_of,
)


@click.command()
@click.argument("question")
@click.option("--explain", "explained", is_flag=True, help="Show the value of each layer, and why.")
def decide(question: str, explained: bool) -> None:
    """Answer one QUESTION, given as JSON.

    kinward decide '{"capability": "dm.send", "actor": {"age": [13, 16]}, "pack": "tiktok-2021"}'
    """
    try:
        request = msgspec.json.decode(question, type=Request)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Invalid(f"{error}. See docs/reference/api.md.") from error
    if request.pack in shipped_packs() and not ids_of([request]):
        decision, pack, states = _alone(request)
    else:
        decision, pack, states = _live(request)
    language = language_of(request, states)
    click.echo(msgspec.json.format(bytes(decision.json(language)), indent=2).decode())
    if explained and pack is not None:
        _print_layers(pack, request, states)


Answer = tuple[Decision, Pack | None, dict[str, State]]


def _alone(request: Request) -> Answer:
    """Decide by a shipped pack, without a database."""
    from kinward.cli.policy import today

    pack = load_pack(request.pack).on(today())
    return answer_request(pack, request, {}), pack, {}


def _live(request: Request) -> Answer:
    """Decide by the pack in force. Without a database, return the protective decision."""
    from kinward.cli.main import open_tables

    try:
        open_tables()
        from kinward.experience.api import decide_all, live, load_states, pack_for

        in_force = live().in_force()
        states = load_states(ids_of([request]))
    except Exception as error:
        from kinward.policy import closed

        reason = error.for_operator if isinstance(error, KinwardError) else type(error).__name__
        hint = "Name a pack to decide without it, or run `kinward up`."
        click.secho(f"The database is unreachable ({reason}). {hint}", fg="yellow", err=True)
        return closed(request, "state.unavailable"), None, {}
    return decide_all(in_force, [request], states)[0], pack_for(in_force, request), states


def _print_layers(pack: Pack, request: Request, states: dict[str, State]) -> None:
    actor = state_of(request.actor, states)
    target = None if request.target is None else state_of(request.target, states)
    if isinstance(actor, str) or isinstance(target, str):
        return
    name = request.capability
    guardian, self_ = request.guardian, request.self_
    explanation = explain_decision(
        pack,
        name,
        actor.person,
        target=None if target is None else target.person,
        relationship=request.relationship,
        at=request.at,
        guardian=actor.guardian.get(name) if guardian is None else guardian,
        self_=actor.self_.get(name) if self_ is None else self_,
    )
    for layer in explanation.get("layers", ()):
        decided = layer["layer"] == explanation["decided_by"]
        head = f"\n{layer['layer']}: {layer['value']}" + ("   <- decides" if decided else "")
        click.secho(head, bold=decided)
        click.echo(f"  {layer['why']}")
        for rule in layer["rules"]:
            place = f" [{rule['jurisdiction']}]" if rule["jurisdiction"] else ""
            mark = "+" if rule["applies"] else "-"
            click.echo(f"  {mark} {rule['id']}{place}: {rule['default']}; {rule['why']}")
            if rule["applies"]:
                click.echo(f"      {rule['source']} ({rule['at']})")
