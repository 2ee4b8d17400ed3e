#!/usr/bin/env python3
"""The vcpkg port and the Conan recipe are for this version of the project, take what it takes from others, and know
its switches. Usage: recipes.py ROOT | --self-test

cmake/dependencies.cmake says what the project takes. The recipe runs with stand-ins for Conan's modules.
"""
import json
import pathlib
import re
import sys
import types
from unittest import mock

# How dependencies.cmake finds them: how vcpkg and Conan call them.
NAMES = {
    "simdjson": ("simdjson", "simdjson"),
    "RapidJSON": ("rapidjson", "rapidjson"),
    "libisal": ("isal", "isa-l"),
    "CLI11": ("cli11", "cli11"),
    "re2": ("re2", "re2"),
    "ZLIB": ("zlib", "zlib"),
}


def taken(text, switch):
    """What dependencies.cmake finds behind `if(SWITCH)`, but for what the platform has."""
    block = re.search(rf"^if\({switch}\)$(.*?)^endif\(\)$", text, re.M | re.S).group(1)
    block = re.sub(r"#.*", "", block)
    found = set(re.findall(r"find_package\((\w+)", block)) - {"PkgConfig"}
    return found | set(re.findall(r"pkg_check_modules\(.*? (\w+)\)", block))


def port_problems(port, portfile, version, switches):
    """`switches`: what each feature takes, by the feature's name, with its CMake switch."""
    if port["version-semver"] != version:
        yield f"vcpkg.json is for {port['version-semver']}, the project is {version}"
    for feature, (switch, expected) in switches.items():
        entries = port["features"][feature]["dependencies"]
        given = {entry for entry in entries if isinstance(entry, str)}
        wanted = {NAMES[name][0] for name in expected}
        if given != wanted:
            yield f"vcpkg.json, {feature}: {sorted(given)} instead of {sorted(wanted)}"
        if not re.search(rf"\b{feature} {switch}\b", portfile):
            yield f"portfile.cmake: {feature} does not set {switch}"


def conan_modules():
    """Just enough of Conan for a recipe to be read and asked."""
    modules = {name: types.ModuleType(name) for name in (
        "conan", "conan.tools", "conan.tools.build", "conan.tools.cmake", "conan.tools.files", "conan.tools.gnu")}
    modules["conan"].ConanFile = object
    modules["conan.tools.build"].check_min_cppstd = mock.Mock()
    for name in ("CMake", "CMakeDeps", "CMakeToolchain", "cmake_layout"):
        setattr(modules["conan.tools.cmake"], name, mock.Mock())
    for name in ("copy", "rm", "rmdir"):
        setattr(modules["conan.tools.files"], name, mock.Mock())
    modules["conan.tools.files"].load = lambda recipe, path: pathlib.Path(path).read_text("utf-8")
    modules["conan.tools.gnu"].PkgConfigDeps = mock.Mock()
    return modules


def recipe_problems(path, version, switches):
    with mock.patch.dict(sys.modules, conan_modules()):
        scope = {}
        exec(compile(path.read_text("utf-8"), str(path), "exec"), scope)  # pylint: disable=exec-used
    recipe = scope["WorkerRuntimeConan"]()
    recipe.recipe_folder = str(path.parent)
    recipe.set_version()
    if recipe.version != version:
        yield f"conanfile.py is for {recipe.version}, the project is {version}"

    for option, feature in (("fs_store", "fs-store"), ("tool", "tool")):
        recipe.options = types.SimpleNamespace(**{"fs_store": False, "tool": False, option: True})
        recipe.requires = mock.Mock()
        recipe.requirements()
        given = {call.args[0].split("/")[0] for call in recipe.requires.call_args_list}
        wanted = {NAMES[name][1] for name in switches[feature][1]}
        if given != wanted:
            yield f"conanfile.py, {option}: {sorted(given)} instead of {sorted(wanted)}"
    for switch, _ in switches.values():
        if f'"{switch}"' not in path.read_text("utf-8"):
            yield f"conanfile.py does not set {switch}"


def source_problems(recipe, project, root):
    """The recipe exports the directories that a build needs, and none that is not there."""
    given = set(re.findall(r'"(\w[\w./]*)/\*"', recipe))
    needed = {"cmake"} | (set(re.findall(r"add_subdirectory\((\w+)\)", project)) - {"tests", "examples", "bench", "fuzz"})
    for part in sorted(needed - given):
        yield f"conanfile.py does not export {part}/"
    for part in sorted(given):
        if not (root / part).is_dir():
            yield f"conanfile.py exports {part}/, which is not there"


def problems(root):
    dependencies = (root / "cmake/dependencies.cmake").read_text("utf-8")
    project = (root / "CMakeLists.txt").read_text("utf-8")
    version = re.search(r"^  VERSION (\S+)$", project, re.M).group(1)
    switches = {feature: (switch, taken(dependencies, switch))
                for feature, switch in (("fs-store", "WORKER_RUNTIME_FS_STORE"), ("tool", "WORKER_RUNTIME_CLI"))}
    port = root / "packaging/vcpkg/worker-runtime"
    yield from port_problems(json.loads((port / "vcpkg.json").read_text("utf-8")),
                             (port / "portfile.cmake").read_text("utf-8"), version, switches)
    recipe = root / "packaging/conan/conanfile.py"
    yield from recipe_problems(recipe, version, switches)
    yield from source_problems(recipe.read_text("utf-8"), project, root)


def self_test():
    text = ("if(A)\n  find_package(ZLIB REQUIRED)  # find_package(CLI11)\n  find_package(PkgConfig REQUIRED)\n"
            "  pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)\nendif()\nif(B)\n  find_package(CLI11)\nendif()\n")
    assert taken(text, "A") == {"ZLIB", "re2"} and taken(text, "B") == {"CLI11"}
    port = {"version-semver": "1", "features": {"tool": {"dependencies": ["zlib", {"name": "x"}]}}}
    switches = {"tool": ("SWITCH", {"ZLIB"})}
    assert not list(port_problems(port, "FEATURES tool SWITCH)", "1", switches))
    assert "instead of" in next(port_problems(port, "tool SWITCH", "1", {"tool": ("SWITCH", {"ZLIB", "re2"})}))
    assert "does not set" in next(port_problems(port, "", "1", switches))
    assert [p.split()[-1] for p in source_problems('"core/*", "x/*"', "add_subdirectory(c)\nadd_subdirectory(tests)",
                                                   pathlib.Path("/nowhere"))] == ["c/", "cmake/", "there", "there"]
    assert "is for 1" in next(port_problems(port, "tool SWITCH", "2", switches))


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    found = list(problems(pathlib.Path(sys.argv[1])))
    print("\n".join(found) or "the recipes are those of this project")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
