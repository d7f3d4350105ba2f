"""networkx's functions on views and through the back end, beside networkx itself and by networkx's own tests."""

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from kgmm.graph import GraphView
from kgmm.graph.networkx_backend import backend, convert_from_nx, convert_to_nx

ROOT = Path(__file__).parents[2]
#: networkx's tests of what is computed here and of what is beside it in the same files
FITTING = (
    "link_analysis.tests.test_pagerank", "shortest_paths.tests.test_unweighted", "shortest_paths.tests.test_generic",
    "components.tests.test_connected", "components.tests.test_weakly_connected",
    "centrality.tests.test_degree_centrality", "traversal.tests.test_bfs",
)  # fmt: skip
#: run by a fresh Python, which finds the back end as one that is installed would
ON_VIEWS = """
import networkx as nx
from kgmm.graph import GraphView
view = GraphView.from_edges(["cat", "dog", "dog", "ant"], ["animal", "animal", "bark", "ant"], weights=[2, 1, 1, 1])
graph = nx.Graph([("cat", "animal", {"weight": 2}), ("dog", "animal"), ("dog", "bark"), ("ant", "ant")])
for call in (
    lambda g: {n: round(s, 6) for n, s in nx.pagerank(g, personalization={"cat": 1}, tol=1e-10, max_iter=1000).items()},
    lambda g: nx.shortest_path(g, "cat", "bark"), lambda g: nx.shortest_path_length(g, "cat"),
    lambda g: sorted(map(sorted, nx.connected_components(g))), nx.degree_centrality,
    lambda g: [set(layer) for layer in nx.bfs_layers(g, "dog")], lambda g: nx.descendants_at_distance(g, "cat", 2),
    nx.triangles, lambda g: nx.betweenness_centrality(g),
):
    assert call(view) == call(graph), (call(view), call(graph))
near = nx.ego_graph(view, "cat")
assert type(near) is GraphView and set(near.concepts) == {"cat", "animal"} and near.edge_count == 1
assert {n: round(s, 6) for n, s in nx.pagerank(graph, tol=1e-10, max_iter=1000, backend="kgmm").items()} == {
    n: round(s, 6) for n, s in nx.pagerank(graph, tol=1e-10, max_iter=1000).items()}
try:
    nx.pagerank(nx.Graph([(1, 2, {"weight": float("nan")})]), backend="kgmm")
except NotImplementedError as error:
    print("refused")
"""


def fresh(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python where the back end is installed: as it is, or by metadata of the tests' own."""
    if not any(point.name == "kgmm" for point in entry_points(group="networkx.backends")):
        info = folder / "kgmm_backend-0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: kgmm-backend\nVersion: 0\n")
        (info / "entry_points.txt").write_text("[networkx.backends]\nkgmm = kgmm.graph.networkx_backend:backend\n")
    path = os.pathsep.join([str(ROOT), str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    settings = {**os.environ, "PYTHONPATH": path, **environment}
    return subprocess.run([sys.executable, *command], env=settings, cwd=folder, capture_output=True, text=True)


def test_networkx_takes_a_view_as_it_is(tmp_path: Path) -> None:
    done = fresh(tmp_path, "-c", ON_VIEWS)
    assert done.returncode == 0 and done.stdout == "refused\n", done.stderr


def test_networkxs_own_tests_pass_with_the_back_end(tmp_path: Path) -> None:
    names = [f"networkx.algorithms.{name}" for name in FITTING]
    asked = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--pyargs", *names, "networkx.generators.tests.test_ego")
    done = fresh(tmp_path, *asked, NETWORKX_TEST_BACKEND="kgmm", NETWORKX_FALLBACK_TO_NX="True")
    last = done.stdout.splitlines()[-1]
    assert done.returncode == 0 and "passed" in last, done.stdout[-3000:] + done.stderr[-2000:]


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_answers_are_networkxs_on_random_graphs(directed: bool, seed: int) -> None:
    random = np.random.default_rng(seed)
    plain = nx.gnm_random_graph(40, 45, seed=seed, directed=directed)  # some nodes dangle, some stand alone
    plain.add_edge(3, 3)
    for _, _, data in plain.edges(data=True):
        data["weight"] = float(random.uniform(0.1, 5))
    made = convert_from_nx(plain, edge_attrs={"weight": 1})
    for personalization in (None, {1: 2.0, 5: 1.0}):
        ours = backend.pagerank(made, 0.8, personalization)
        theirs = nx.pagerank.orig_func(plain, 0.8, personalization, tol=1e-13, max_iter=1000)
        assert ours == pytest.approx(theirs, abs=1e-8)
    for function in ("single_source_shortest_path_length", "single_target_shortest_path_length"):
        for cutoff in (None, 0, 1, 1.5, 2):
            assert getattr(backend, function)(made, 1, cutoff) == getattr(nx, function).orig_func(plain, 1, cutoff)
    components = "weakly_connected_components" if directed else "connected_components"
    assert list(getattr(backend, components)(made)) == list(getattr(nx, components).orig_func(plain))
    kinds = ("degree_centrality", "in_degree_centrality", "out_degree_centrality")
    for kind in kinds if directed else kinds[:1]:
        assert getattr(backend, kind)(made) == getattr(nx, kind).orig_func(plain)
    for target, steps in backend.single_source_shortest_path_length(made, 1).items():
        path = backend.bidirectional_shortest_path(made, 1, target)
        assert len(path) == steps + 1 and nx.is_path(plain, path)


def test_parallel_statements_are_one_edge_of_their_sum() -> None:
    view = GraphView.from_edges(["a", "a", "b"], ["b", "b", "a"], ["IsA", "HasA", "IsA"], [1, 2, 4])
    graph = convert_to_nx(view)
    assert not graph.is_multigraph() and graph["a"]["b"]["weight"] == 7


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf"), 0.0, "much"])
def test_weights_that_walks_do_not_take_are_left_to_networkx(weight: object) -> None:
    graph = nx.Graph([("a", "b", {"weight": weight}), ("b", "c")])
    assert backend.can_run("pagerank", (graph,), {}) is not True
    assert backend.can_run("pagerank", (graph,), {"weight": None}) is True


def test_parallel_edges_and_functions_that_change_a_graph_are_left_to_networkx() -> None:
    assert backend.can_run("degree_centrality", (nx.MultiGraph([(1, 2), (1, 2)]),), {}) is not True
    assert backend.can_run("contracted_nodes", (nx.Graph([(1, 2)]), 1, 2), {}) is not True
    view = GraphView.from_edges(["a"], ["b"])
    assert backend.can_run("set_edge_attributes", (view, {}), {}) is not True
    assert backend.can_run("triangles", (view,), {}) is True
