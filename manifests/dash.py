"""The MPD (ISO/IEC 23009-1) of a presentation: static, one period, `SegmentTemplate` with a `SegmentTimeline`.

Addresses are relative to the folder `dash/`, where the manifest stands.
"""

from fractions import Fraction
from math import gcd
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from manifests.index import Kind, Rate, Run, Track
from manifests.languages import UNDETERMINED
from manifests.presentation import Presentation, SwitchingSet
from manifests.timing import iso8601_duration

ROLE_SCHEME = "urn:mpeg:dash:role:2011"
CHANNELS_SCHEME = "urn:mpeg:mpegB:cicp:ChannelConfiguration"
CHANNEL_CONFIGURATIONS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 11, 8: 12}
"Channel configurations of ISO/IEC 23091-3 by number of channels, in the usual arrangement."
PURPOSE_SCHEME = "urn:tva:metadata:cs:AudioPurposeCS:2007"
PURPOSES = {"description": "1", "caption": "2"}
"For people with impaired sight, and with impaired hearing (DASH-IF IOP 5, part 5)."


def mpd(presentation: Presentation) -> str:
    root = Element(
        "MPD",
        {
            "xmlns": "urn:mpeg:dash:schema:mpd:2011",
            "type": "static",
            "profiles": "urn:mpeg:dash:profile:isoff-live:2011",
            "mediaPresentationDuration": iso8601_duration(presentation.duration_s),
            "minBufferTime": iso8601_duration(_longest_segment_s(presentation)),
        },
    )
    period = SubElement(root, "Period", id="1", start="PT0S")
    for number, switching_set in enumerate(presentation.sets, 1):
        _add_adaptation_set(period, number, switching_set, presentation.scheme)
    indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _longest_segment_s(presentation: Presentation) -> Fraction:
    """With one segment buffered, a line as fast as `@bandwidth` never lets playback starve: the rates are measured
    over segments."""
    return max(
        Fraction(run.duration_ticks, track.timescale)
        for switching_set in presentation.sets
        if switching_set.kind is not Kind.TEXT
        for track in switching_set.tracks
        for run in track.timeline
    )


def _add_adaptation_set(period: Element, number: int, switching_set: SwitchingSet, scheme: str) -> None:
    element = SubElement(period, "AdaptationSet", id=str(number), contentType=switching_set.kind)
    if switching_set.language != UNDETERMINED:
        element.set("lang", switching_set.language)
    if switching_set.kind is Kind.VIDEO:
        _describe_pictures(element, switching_set.tracks)
    if switching_set.kind is Kind.TEXT:
        element.set("mimeType", "text/vtt")
    else:
        element.set("mimeType", f"{switching_set.kind}/mp4")
        element.set("segmentAlignment", "true")
        element.set("startWithSAP", "1")
    # The schema fixes the order: channels, labels, accessibility, role, template, representations.
    _add_channels(element, switching_set.tracks)
    if switching_set.kind is not Kind.VIDEO:
        SubElement(element, "Label").text = _clean(switching_set.name)
    if switching_set.role in PURPOSES:
        SubElement(element, "Accessibility", schemeIdUri=PURPOSE_SCHEME, value=PURPOSES[switching_set.role])
    SubElement(element, "Role", schemeIdUri=ROLE_SCHEME, value=_clean(switching_set.role))
    if switching_set.kind is Kind.TEXT:
        _add_sidecars(element, switching_set.tracks, scheme)
    else:
        _add_segmented(element, switching_set.tracks, scheme)


def _describe_pictures(element: Element, tracks: tuple[Track, ...]) -> None:
    largest = max(tracks, key=lambda track: track.height)
    element.set("maxWidth", str(max(track.width for track in tracks)))
    element.set("maxHeight", str(largest.height))
    rates = [track.frame_rate for track in tracks if track.frame_rate]
    if rates:
        element.set("maxFrameRate", _frame_rate(max(rates, key=lambda rate: Fraction(*rate))))
    divisor = gcd(largest.width, largest.height)
    if divisor:
        element.set("par", f"{largest.width // divisor}:{largest.height // divisor}")


def _add_channels(element: Element, tracks: tuple[Track, ...]) -> None:
    configuration = CHANNEL_CONFIGURATIONS.get(tracks[0].channels)
    if configuration:
        SubElement(element, "AudioChannelConfiguration", schemeIdUri=CHANNELS_SCHEME, value=str(configuration))


def _add_sidecars(element: Element, tracks: tuple[Track, ...], scheme: str) -> None:
    for track in tracks:
        representation = SubElement(element, "Representation", id=track.id, bandwidth=str(track.peak_bps))
        # Text is never encrypted, but a token opens one scheme only, so it stands there.
        SubElement(representation, "BaseURL").text = f"../{scheme}/{track.id}/all.vtt"


def _add_segmented(element: Element, tracks: tuple[Track, ...], scheme: str) -> None:
    """One template for the whole set where all rungs keep the same time, otherwise one in each representation."""
    shared = len({(track.timescale, track.timeline) for track in tracks}) == 1
    if shared:
        _add_template(element, tracks[0], scheme)
    for track in tracks:
        representation = SubElement(
            element, "Representation", id=track.id, bandwidth=str(track.peak_bps), codecs=track.codec
        )
        if track.kind is Kind.VIDEO:
            representation.set("width", str(track.width))
            representation.set("height", str(track.height))
            representation.set("sar", "1:1")
            if track.frame_rate:
                representation.set("frameRate", _frame_rate(track.frame_rate))
        else:
            representation.set("audioSamplingRate", str(track.sample_rate))
        if not shared:
            _add_template(representation, track, scheme)


def _add_template(parent: Element, track: Track, scheme: str) -> None:
    template = SubElement(
        parent,
        "SegmentTemplate",
        timescale=str(track.timescale),
        initialization=f"../{scheme}/$RepresentationID$/init.mp4",
        media=f"../{scheme}/$RepresentationID$/$Number$.m4s",
        startNumber="1",
    )
    timeline = SubElement(template, "SegmentTimeline")
    for position, run in enumerate(track.timeline):
        _add_run(timeline, run, is_first=position == 0)


def _add_run(timeline: Element, run: Run, *, is_first: bool) -> None:
    # Presented time: an edit list that cuts priming makes the first sample that is heard stand at 0.
    attributes = {"t": "0"} if is_first else {}
    attributes["d"] = str(run.duration_ticks)
    if run.segment_count > 1:
        attributes["r"] = str(run.segment_count - 1)
    SubElement(timeline, "S", attributes)


def _frame_rate(rate: Rate) -> str:
    exact = Fraction(*rate)
    return str(exact.numerator) if exact.denominator == 1 else f"{exact.numerator}/{exact.denominator}"


def _clean(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold, however they are escaped (2.2)."""
    return "".join(c if c.isprintable() else " " for c in text)
