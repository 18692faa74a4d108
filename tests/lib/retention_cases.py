"""Retention's suite: worlds of simulated sets, questions, and what must stay, each with its reason.

    retention_cases.py cases              the suite as tests/unit/test_retention_suite reads it (tests/data/retention.cases);
                                          sets from the future of a question, which all stay, are left out
    retention_cases.py worlds             their names; "years" is the large one, for stores without a network
    retention_cases.py fill WORLD FOLDER  the world's sets as a folder that the local plugin takes for a store
    retention_cases.py hours N FOLDER     the same of so many sets, one an hour up to now
    retention_cases.py questions WORLD    a JSON object a line: title, at, settings, keep {set: reason}, until {set: time}

The answers are worked out here from datetime and zoneinfo, by going through the definition of each rule for each
set by itself, and not as the program does it."""
import hashlib
import json
import os
import sys
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

DAY = 86400
FOREVER, NEWER = -1, -2
CRITICAL = ['pre-migration*', 'pre_migration*', 'pre-release*', 'pre_release*', 'pre-major-release*']
RUNGS = {'reread': 3, 'opened': 4, 'restored': 5, 'compared': 6}
RUNG_NAMES = {3: 're-read', 4: 'opened', 5: 'restored', 6: 'compared'}


def utc(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp())


def stamp(t):
    return datetime.fromtimestamp(t, timezone.utc).strftime('%Y%m%d%H%M%S')


def iso(t):
    return datetime.fromtimestamp(t, timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')


class Set:
    def __init__(self, label, time, source='app', size=100, held=False, manifest=True, proofs=()):
        self.label, self.time, self.source, self.size = label, time, source, size
        self.held, self.manifest, self.proofs = held, manifest, list(proofs)
        self.name = f'{label}-{stamp(time)}'

    def standing(self):
        """Rung and the rung that failed: here a set has passes only, or one failure after them."""
        rung = failed = 0
        for proof in self.proofs:
            word, of = (proof.split('-') + [''])[:2] if not proof.startswith('failed-') else ('failed', proof[7:])
            if word == 'failed':
                failed = RUNGS[of]
            else:
                rung = max(rung, RUNGS[word])
        return (min(rung, failed - 1) if failed else rung), failed


def every(step, start, end, label='nightly', **more):
    t, last = utc(start), utc(end)
    while t <= last:
        yield Set(label, t, **more)
        t += step


def years():
    """Every night of more than four years, two of them leap years; some nights failed and left nothing."""
    for s in every(DAY, '2023-12-25T02:00:00', '2028-03-31T02:00:00'):
        day = datetime.fromtimestamp(s.time, timezone.utc)
        if (day.month, day.day) in ((2, 1), (9, 6), (9, 7)) or (day.year == 2026 and day.month == 5 and day.day < 20):
            continue
        yield s


def turns():
    """Of these years the nights around the first of each month: few enough for any store."""
    for s in years():
        if datetime.fromtimestamp(s.time + DAY, timezone.utc).day <= 3:
            yield s


def clocks():
    """Every hour where clocks change, and midnight is not where UTC has it."""
    for when in ('2026-03-28', '2026-10-24', '2027-03-13', '2027-11-06'):
        start = utc(when + 'T00:00:00')
        yield from every(3600, iso(start)[:19], iso(start + 2 * DAY)[:19], label='hourly')


def mixed():
    """Two sources, holds, labels, proofs, a set that failed its check, one from the future."""
    for s in every(DAY, '2026-01-01T03:00:00', '2026-03-01T03:00:00', size=1000):
        date = stamp(s.time)[:8]
        s.held = date == '20260105'
        s.proofs = {'20260110': ['reread', 'restored'], '20260111': ['restored'], '20260120': ['reread'],
                    '20260207': ['compared', 'failed-reread'], '20260215': ['failed-compared']}.get(date, [])
        yield s
    yield from every(7 * DAY, '2026-01-04T04:00:00', '2026-02-22T04:00:00', label='weekly', source='shop')
    yield Set('pre-migration', utc('2026-01-07T12:00:00'), size=1000)
    yield Set('pre-release-9', utc('2026-01-08T12:00:00'), size=1000)
    yield Set('nightly', utc('2031-01-01T00:00:00'), size=1000)


WORLDS = {'years': years, 'turns': turns, 'clocks': clocks, 'mixed': mixed}
QUESTIONS = [
    ('years', 'seven days', '2028-03-31T03:00:00', {'DAYS': 7}),
    ('years', 'before there was anything', '2023-12-24T00:00:00', {'DAYS': 7}),
    ('years', 'a leap day is a day', '2028-03-01T02:00:00', {'DAYS': 1}),
    ('years', 'the last ten, over a gap', '2026-05-22T03:00:00', {'DAYS': 1, 'LAST': 10}),
    ('years', 'all tiers in a leap year', '2028-02-29T12:00:00',
     {'DAYS': 3, 'DAILY': 10, 'WEEKLY': 6, 'MONTHLY': 12, 'YEARLY': 3}),
    ('years', 'the first of a month that failed', '2026-02-20T12:00:00', {'DAYS': 1, 'MONTHLY': 2}),
    ('years', 'a Sunday that failed', '2026-09-20T12:00:00', {'DAYS': 1, 'WEEKLY': 4}),
    ('years', 'the new year begins in Berlin', '2027-06-01T00:00:00', {'DAYS': 1, 'YEARLY': 10, 'TIMEZONE': 'Europe/Berlin'}),
    ('years', 'and later in Honolulu', '2027-06-01T00:00:00', {'DAYS': 1, 'YEARLY': 10, 'TIMEZONE': 'Pacific/Honolulu'}),
    ('years', 'a year is over to the second', '2026-12-31T23:59:59', {'DAYS': 1, 'YEARLY': 2}),
    ('years', 'and then gone', '2027-01-01T00:00:00', {'DAYS': 1, 'YEARLY': 2}),
    ('years', 'a minimum', '2028-12-01T00:00:00', {'DAYS': 7, 'MIN_KEEP': 5}),
    ('years', 'a budget', '2028-03-31T03:00:00', {'DAYS': 0, 'SIZE': 2000}),
    ('years', 'a budget over tiers', '2028-03-31T03:00:00', {'DAYS': 7, 'MONTHLY': 24, 'SIZE': 1500}),
    ('years', 'a budget below the minimum', '2028-03-31T03:00:00', {'DAYS': 30, 'SIZE': 100, 'MIN_KEEP': 3}),
    ('turns', 'all tiers in a leap year', '2028-02-29T12:00:00',
     {'DAYS': 3, 'DAILY': 10, 'WEEKLY': 6, 'MONTHLY': 12, 'YEARLY': 3}),
    ('turns', 'the new year begins in Auckland', '2027-06-01T00:00:00',
     {'DAYS': 1, 'LAST': 4, 'YEARLY': 10, 'TIMEZONE': 'Pacific/Auckland'}),
    ('turns', 'a budget over tiers', '2028-03-31T03:00:00', {'DAYS': 7, 'MONTHLY': 24, 'SIZE': 1500, 'MIN_KEEP': 2}),
    ('clocks', 'days in UTC', '2027-11-09T12:00:00', {'DAYS': 1, 'DAILY': 1000}),
    ('clocks', 'days in Berlin', '2027-11-09T12:00:00', {'DAYS': 1, 'DAILY': 1000, 'TIMEZONE': 'Europe/Berlin'}),
    ('clocks', 'days in New York', '2027-11-09T12:00:00', {'DAYS': 1, 'DAILY': 1000, 'TIMEZONE': 'America/New_York'}),
    ('clocks', 'weeks in Kathmandu', '2027-11-09T12:00:00', {'DAYS': 1, 'WEEKLY': 100, 'TIMEZONE': 'Asia/Kathmandu'}),
    ('clocks', 'a day of 23 hours ends', '2026-03-29T22:00:00', {'DAYS': 1, 'DAILY': 1, 'TIMEZONE': 'Europe/Berlin'}),
    ('clocks', 'a day of 25 hours does not', '2026-10-25T22:59:59', {'DAYS': 1, 'DAILY': 1, 'TIMEZONE': 'Europe/Berlin'}),
    ('mixed', 'what stays whatever its age', '2026-06-01T00:00:00', {'DAYS': 7}),
    ('mixed', 'critical for ninety days', '2026-04-01T00:00:00', {'DAYS': 7, 'CRITICAL_DAYS': 90}),
    ('mixed', 'critical no more', '2026-06-01T00:00:00', {'DAYS': 7, 'CRITICAL_DAYS': 90}),
    ('mixed', 'no label is critical', '2026-06-01T00:00:00', {'DAYS': 7, 'CRITICAL_LABELS': '-'}),
    ('mixed', 'the newest failed its check', '2026-02-15T12:00:00', {'DAYS': 7}),
    ('mixed', 'a budget spares what is held, critical and proven', '2026-06-01T00:00:00', {'DAYS': 0, 'SIZE': 6500}),
    ('mixed', 'tiers of each source', '2026-03-02T00:00:00', {'DAYS': 2, 'WEEKLY': 5, 'MONTHLY': 3}),
]


def limits(options):
    o = {'DAYS': 7, 'LAST': 0, 'DAILY': 0, 'WEEKLY': 0, 'MONTHLY': 0, 'YEARLY': 0, 'SIZE': 0, 'MIN_KEEP': 1,
         'CRITICAL_DAYS': 0, 'TIMEZONE': 'UTC', 'CRITICAL_LABELS': ''}
    o.update(options)
    return o


def period(tier, t, zone):
    """The first date of the period that t is in, and the first date after `n` of them."""
    d = datetime.fromtimestamp(t, zone).date()
    if tier == 'DAILY':
        return d, lambda n: d + timedelta(days=n)
    if tier == 'WEEKLY':
        sunday = d - timedelta(days=(d.weekday() + 1) % 7)
        return sunday, lambda n: sunday + timedelta(weeks=n)
    if tier == 'MONTHLY':
        first = d.replace(day=1)
        return first, lambda n: first.replace(year=first.year + (first.month - 1 + n) // 12, month=(first.month - 1 + n) % 12 + 1)
    first = d.replace(month=1, day=1)
    return first, lambda n: first.replace(year=first.year + n)


def tier_text(tier, first):
    return {'DAILY': f'daily, the first of {first}', 'WEEKLY': f'weekly, the first since Sunday {first}',
            'MONTHLY': f'monthly, the first of {first:%Y-%m}', 'YEARLY': f'yearly, the first of {first.year:04d}'}[tier]


def units(n):
    for unit in ('B', 'KiB'):
        if n < 1024:
            return f'{n} B' if unit == 'B' else f'{n:.1f} KiB'
        n /= 1024
    raise ValueError(n)


def judge_source(sets, now, o):
    """{set: (until, reason)} of what stays."""
    zone = ZoneInfo(o['TIMEZONE'])
    past = sorted((s for s in sets if s.manifest and s.time <= now), key=lambda s: (s.time, s.name))
    good = [s for s in past if not s.standing()[1]]
    source = sets[0].source
    patterns = [o['CRITICAL_LABELS']] if o['CRITICAL_LABELS'] else CRITICAL
    best = max((s.standing()[0] for s in good), default=0)
    proven = [s for s in good if s.standing()[0] == best][-1] if best else None
    floor = good[-o['MIN_KEEP']:]
    keep, firm = {}, set()
    for s in sets:
        if s.held:
            keep[s], _ = (FOREVER, 'kept: hold'), firm.add(s)
        elif s.time > now:
            keep[s], _ = (FOREVER, 'kept: its time is in the future (clock?)'), firm.add(s)
    for s in past:
        if s in keep:
            continue
        pattern = next((p for p in patterns if fnmatchcase(s.label, p)), None)
        days = o['DAYS']
        if pattern:
            days = max(days, o['CRITICAL_DAYS']) if days and o['CRITICAL_DAYS'] else 0
            if not o['CRITICAL_DAYS'] or now <= s.time + o['CRITICAL_DAYS'] * DAY:
                firm.add(s)
        if s in floor or s is proven:
            firm.add(s)
        tiers = []
        for tier in ('DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'):
            if not o[tier] or s not in good:
                continue
            first, after = period(tier, s.time, zone)
            if any(period(tier, x.time, zone)[0] == first for x in good[:good.index(s)][-1:]):
                continue
            end = after(o[tier])
            tiers.append((int(datetime(end.year, end.month, end.day, tzinfo=zone).timestamp()), tier, first))
        tiers = [t for t in tiers if now < t[0]]
        longest = next(t for t in tiers if t[0] == max(t[0] for t in tiers)) if tiers else None
        until, age = s.time + days * DAY, (now - s.time) // DAY
        newer = len(good) - 1 - good.index(s) if s in good else None
        if not days:
            keep[s] = (FOREVER, f'kept: label matches {pattern}' if pattern and o['DAYS'] else
                       'kept: everything is kept (0 days)')
        elif longest and (now > until or longest[0] > until):
            keep[s] = (longest[0], 'kept: ' + tier_text(*longest[1:]))
        elif now <= until:
            because = f', label matches {pattern}' if pattern and days != o['DAYS'] else ''
            keep[s] = (until, f'kept: {age} of {days} days old{because}')
        elif newer is not None and newer < o['LAST']:
            keep[s] = (NEWER, f'kept: one of the last {o["LAST"]}')
        elif s is (good or [None])[-1]:
            keep[s] = (NEWER, f'kept: newest good set of {source}')
        elif s in floor:
            keep[s] = (NEWER, f'kept: one of the {o["MIN_KEEP"]} newest good sets of {source}')
        elif s is proven:
            keep[s] = (NEWER, f'kept: newest set of {source} with the highest proof ({RUNG_NAMES[best]})')
    objection = None
    if past and past[-1].standing()[1]:
        fault = 'is damaged' if past[-1].standing()[1] < 5 else 'has failed its restore test'
        objection = f'kept: the newest set of {source} {fault}'
    elif not good:
        objection = f'kept: {source} has no good set'
    if objection:
        return {s: keep.get(s, (NEWER, objection)) for s in sets}
    for s in past if o['SIZE'] else []:
        if sum(x.size for x in keep) > o['SIZE'] and s in keep and s not in firm:
            del keep[s]
    return keep


def judge(sets, now, options):
    keep = {}
    for source in {s.source for s in sets}:
        keep.update(judge_source([s for s in sets if s.source == source], now, limits(options)))
    return keep


def questions(world):
    sets = list(WORLDS[world]())
    for of, title, at, options in QUESTIONS:
        if of == world:
            yield title, utc(at), options, judge(sets, utc(at), options)


def print_cases():
    print('# Written by tests/lib/retention_cases.py cases.')
    for world, make in WORLDS.items():
        print(f'world {world}')
        for s in make():
            more = ''.join(f' proof-{p}-{stamp(s.time + i)}.json' for i, p in enumerate(s.proofs))
            print(f'set {s.name} {s.source} {s.label} {s.time} {s.size} {"held" if s.held else "-"}{more}')
        for title, at, options, keep in questions(world):
            print(f'ask {title}\nat {at}')
            for name, value in options.items():
                print(f'with {name}={value}')
            for s, (until, reason) in sorted(keep.items(), key=lambda i: (i[0].time, i[0].name)):
                if s.time <= at:
                    print(f'keep {s.name} {until} {reason}')


def put(folder, name, data):
    with open(os.path.join(folder, name), 'xb') as f:
        f.write(data)


def fill(sets, folder):
    for s in sets:
        data = s.name.encode() * s.size
        data = data[:s.size]
        digest = hashlib.sha256(data).hexdigest()
        key = s.name + '.sql'
        put(folder, key, data)
        manifest = {'format': 1, 'set': s.name, 'label': s.label, 'source': s.source, 'created_at': iso(s.time),
                    'finished_at': iso(s.time), 'trigger': 'cli', 'strongroom': '0',
                    'objects': [{'key': key, 'kind': 'plain', 'database': s.source, 'size': s.size, 'sha256': digest,
                                 'plain_size': s.size, 'plain_sha256': digest, 'compression': 'none',
                                 'encryption': 'none'}], 'recipients': []}
        text = json.dumps(manifest, sort_keys=True, separators=(',', ':'))
        manifest['digest'] = hashlib.sha256(text.encode()).hexdigest()
        for i, proof in enumerate(s.proofs):
            put(folder, f'{s.name}.{s.source}.proof-{proof}-{stamp(s.time + i)}.json', b'{}\n')
        if s.held:
            put(folder, f'{s.name}.{s.source}.hold', b'hold\n')
        put(folder, f'{s.name}.{s.source}.manifest.json', json.dumps(manifest).encode())


def hours(n, folder):
    """So many sets, one an hour up to now: what tests/bench/catalog.sh lists."""
    last = int(datetime.now(timezone.utc).timestamp()) // 3600 * 3600
    fill((Set('hourly', last - 3600 * i, size=10) for i in range(n)), folder)


def main():
    what = sys.argv[1]
    if what == 'cases':
        print_cases()
    elif what == 'worlds':
        print('\n'.join(WORLDS))
    elif what == 'fill':
        fill(WORLDS[sys.argv[2]](), sys.argv[3])
    elif what == 'hours':
        hours(int(sys.argv[2]), sys.argv[3])
    elif what == 'questions':
        for title, at, options, keep in questions(sys.argv[2]):
            print(json.dumps({'title': title, 'at': iso(at),
                              'settings': ' '.join(f'{k}={v}' for k, v in options.items()),
                              'keep': {s.name: reason for s, (_, reason) in keep.items()},
                              'until': {s.name: iso(until) for s, (until, _) in keep.items() if until > 0}}))


if __name__ == '__main__':
    main()
