"""A report that is protected for two reasons: what may be given is what both let through."""

from dataclasses import replace

from shared.policy.plan import ReleasePlan, Terms, Verdict


def narrow(plan: ReleasePlan, other: ReleasePlan) -> ReleasePlan:
    """Return what both plans for one agency release, in the forms that both name, on the grounds and terms of both."""
    verdicts = {group: _both(verdict, other.verdicts[group]) for group, verdict in plan.verdicts.items()}
    narrowed = replace(
        plan,
        verdicts=verdicts,
        terms=(),
        valid_from=max(plan.valid_from, other.valid_from),
        valid_until=min(plan.valid_until, other.valid_until),
    )
    terms = (_of(narrowed, each) for each in dict.fromkeys((*plan.terms, *other.terms)))
    return replace(narrowed, terms=tuple(each for each in terms if each.groups))


def _both(one: Verdict, other: Verdict) -> Verdict:
    common = [form for form in one.grounds_in if form in other.grounds_in]
    return Verdict(
        {form: tuple(dict.fromkeys((*one.grounds_in[form], *other.grounds_in[form]))) for form in common},
        () if common else tuple(dict.fromkeys((*one.withheld_by, *other.withheld_by))),
        {form: max(one.delays.get(form, 0), other.delays.get(form, 0)) for form in common},
    )


def _of(narrowed: ReleasePlan, terms: Terms) -> Terms:
    return terms._replace(groups=tuple(group for group in terms.groups if group in narrowed.groups))
