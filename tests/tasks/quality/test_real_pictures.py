# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Real radiographs and CT series: nothing is repeated without need, and nothing falls over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import pytest

from appliance.domain.acquisition import Acquisition, Kind
from appliance.domain.image import PixelImage
from appliance.domain.job import Lane
from appliance.domain.quality import Verdict
from appliance.selftest.phantom_radiograph import write_chest
from appliance.tasks.catalogue import tasks_for
from appliance.tasks.quality_chest import TASK as CHEST
from appliance.tasks.quality_ct import TASK as CT

ReadOne = Callable[[Path], tuple[Acquisition, PixelImage]]
ReadSeries = Callable[[Sequence[Path]], tuple[Acquisition, list[PixelImage]]]
UNCOMPRESSED = ("CR_ExplLE_gdcm-CR-MONO1-10-chest.dcm", "CR_J2K_RG1_J2KI.dcm", "DX_J2K-LL_966_fixed.dcm")


@pytest.mark.parametrize("name", UNCOMPRESSED)
def test_real_chests_of_three_makers_are_not_flagged_on_their_pixels(
    real_data: Path, radiograph: ReadOne, name: str
) -> None:
    acquisition, image = radiograph(real_data / "ct" / "dx-cr" / name)
    takers = [t for t in tasks_for(Lane.QUALITY, Kind.PROJECTION) if t.accepts(acquisition, None) is None]
    assert takers == [CHEST]
    said = {check.criterion: check for check in CHEST.interpret(acquisition, image, {}, None).quality}
    for criterion in (
        "field_of_view",
        "noise",
        "sharpness",
        "saturation",
        "detector_lines",
        "blank_exposure",
    ):
        assert said[criterion].verdict in (Verdict.OK, Verdict.NOT_CHECKED), said[criterion]


def test_few_chests_are_flagged_and_none_repeated(
    real_data: Path, radiograph: ReadOne, tmp_path: Path
) -> None:
    acquisition, _ = radiograph(write_chest(tmp_path / "c.dcm", rows=150, columns=125).path)
    files = sorted((real_data / "xray" / "images" / "NIH").glob("*"))[::40]
    flagged = 0
    for file in files:
        grey = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        assert grey is not None
        image = PixelImage(
            stored=grey,
            slope=1.0,
            intercept=0.0,
            inverted=False,
            stored_range=(0, 255),
            padding=None,
            voi=None,
            spacing_mm=None,
            rescale_type=None,
        )
        verdicts = {check.verdict for check in CHEST.interpret(acquisition, image, {}, None).quality}
        assert Verdict.REPEAT not in verdicts, file
        flagged += Verdict.CHECK in verdicts
    assert flagged <= 0.2 * len(files)


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")  # one of the series really has such UIDs
@pytest.mark.parametrize(
    ("name", "noise_hu"), [("lungdx-A0001-B", (4.0, 14.0)), ("covidctmd-cap002", (18.0, 32.0))]
)
def test_noise_of_real_series(
    real_data: Path, series: ReadSeries, name: str, noise_hu: tuple[float, float]
) -> None:
    files = sorted((real_data / "ct" / "ct-normal-dose" / name).glob("*.dcm"))[::5]
    acquisition, images = series(files)
    measures = [CT.measure(acquisition, index, image) for index, image in enumerate(images)]
    said = {check.criterion: check for check in CT.conclude(acquisition, measures).quality}
    assert said["noise"].verdict is Verdict.OK
    assert noise_hu[0] < (said["noise"].value or 0.0) < noise_hu[1]
    assert said["scaling"].verdict is said["motion"].verdict is said["metal"].verdict is Verdict.OK


def test_a_quarter_of_the_dose_has_twice_the_noise(real_data: Path, series: ReadSeries) -> None:
    folder = real_data / "ct" / "ct-lowdose-pairs" / "L192_D45f_3mm"
    noise = []
    for dose in ("FD", "QD"):
        acquisition, images = series(sorted(folder.glob(f"*_{dose}.dcm")))
        measures = [CT.measure(acquisition, index, image) for index, image in enumerate(images)]
        noise.append(next(c for c in CT.conclude(acquisition, measures).quality if c.criterion == "noise"))
    assert [check.verdict for check in noise] == [Verdict.OK, Verdict.CHECK]
    assert 1.7 < (noise[1].value or 0.0) / (noise[0].value or 1.0) < 2.4
