"""The tools that can be run: their command lines, results and licences, as their documentation has them."""

from collections.abc import Mapping

from perception.readers import cotracker, gem, gvhmr, hamer, sam3, sam3d, spatracker, tapir, wilor
from perception.tools.tool import Tool

GVHMR = Tool(
    name="gvhmr",
    command="{python} tools/demo/demo.py --video {video} --output_root {out} -s",
    result="{stem}/hmr4d_results.pt",
    licence=gvhmr.LICENCE,
    home="https://github.com/zju3dv/GVHMR",
)
"""`-s`: the camera stands still. It assumes a focal length of the picture's diagonal; newer versions take `--f_mm`."""

GEM = Tool(
    name="gem",
    command="{python} scripts/demo/demo_soma.py --video {video} --output_root {out} -s",
    result="{stem}/preprocess/hpe_results.pt",
    licence=gem.LICENCE,
    home="https://github.com/NVlabs/GEM-X",
)

HAMER = Tool(
    name="hamer",
    command="{python} {scripts}/hamer_hands.py --video {video} --out {out}/hamer.npz",
    result="hamer.npz",
    licence=hamer.LICENCE,
    home="https://github.com/geopavlakos/hamer",
)

WILOR = Tool(
    name="wilor",
    command="{python} {scripts}/wilor_hands.py --video {video} --out {out}/wilor.npz",
    result="wilor.npz",
    licence=wilor.LICENCE,
    home="https://github.com/warmshao/WiLoR-mini",
    repo=False,
)

SAM3D = Tool(
    name="sam3d",
    command="{python} {scripts}/sam3d_body.py --video {video} --out {out}/sam3d.npz --focal_px {focal_px} "
    "--mhr_tools {mhr_tools} --smplx {smplx}",
    result="sam3d.npz",
    licence=sam3d.LICENCE,
    home="https://github.com/facebookresearch/sam-3d-body",
    settings={"focal_px": 0, "mhr_tools": "MHR/tools/mhr_smpl_conversion", "smplx": "SMPLX_NEUTRAL.npz"},
)
"""`focal_px`: the camera's, 0 where it is not known; `mhr_tools`, `smplx`: what converts to SMPL-X, in the checkout."""

COTRACKER = Tool(
    name="cotracker",
    command="{python} {scripts}/cotracker_points.py --video {video} --out {out}/cotracker.npz --queries {queries} "
    "--repo {hub}",
    result="cotracker.npz",
    licence=cotracker.LICENCE,
    home="https://github.com/facebookresearch/co-tracker",
    settings={"hub": "facebookresearch/co-tracker"},
    repo=False,
)
"""`queries`: a file of `queries.write_queries`; `hub`: torch.hub's name of the repository, or a checkout's folder."""

TAPIR = Tool(
    name="tapir",
    command="{python} {scripts}/tapir_points.py --video {video} --out {out}/tapir.npz --queries {queries} "
    "--checkpoint {checkpoint}",
    result="tapir.npz",
    licence=tapir.LICENCE,
    home="https://github.com/google-deepmind/tapnet",
    settings={"checkpoint": "bootstapir_checkpoint_v2.pt"},
    repo=False,
)

SPATRACKER = Tool(
    name="spatracker",
    command="{python} inference.py --data_type RGB --data_dir {out} --video_name {stem} --fps 1",
    result="results/{stem}_result.npz",
    licence=spatracker.LICENCE,
    home="https://github.com/henry123-boy/SpaTrackerV2",
    beside=True,
)
"""It tracks a grid of its own; a mask `{stem}.png` in {out} would narrow it."""

SAM3 = Tool(
    name="sam3",
    command="{python} {scripts}/sam3_masks.py --video {video} --out {out}/sam3.npz --prompts {prompts}",
    result="sam3.npz",
    licence=sam3.LICENCE,
    home="https://github.com/facebookresearch/sam3",
    settings={"prompts": "person"},
    repo=False,
)
"""`prompts`: what to look for, things parted by semicolons."""

TOOLS: Mapping[str, Tool] = {
    tool.name: tool for tool in (GVHMR, GEM, HAMER, WILOR, SAM3D, COTRACKER, TAPIR, SPATRACKER, SAM3)
}
