"""Conan 2 recipe: it packs the tree that it stands in. See packaging/README.md."""
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load, rm, rmdir
from conan.tools.gnu import PkgConfigDeps

required_conan_version = ">=2.8"


class WorkerRuntimeConan(ConanFile):
    name = "worker-runtime"
    description = "Durable runtime for long-lived workers, with plain JSON files as its store"
    license = "MIT"
    topics = ("storage", "journal", "jsonl", "agents")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "fPIC": [True, False], "fs_store": [True, False], "tool": [True, False]}
    default_options = {"shared": False, "fPIC": True, "fs_store": True, "tool": False}
    implements = ["auto_shared_fpic"]

    @property
    def _tree(self):
        return os.path.join(self.recipe_folder, "..", "..")

    def set_version(self):
        text = load(self, os.path.join(self._tree, "CMakeLists.txt"))
        self.version = re.search(r"project\([^)]*?VERSION (\S+)", text, re.S).group(1)

    def export_sources(self):
        for part in ("CMakeLists.txt", "LICENSE", "cmake/*", "core/*", "fs_store/*", "c/*", "cli/*",
                     "docs/man/*", "docs/schema/*", "report/template.html"):
            copy(self, part, src=self._tree, dst=self.export_sources_folder)

    def layout(self):
        cmake_layout(self)

    def validate(self):
        check_min_cppstd(self, 20)

    def requirements(self):
        if self.options.fs_store:
            self.requires("simdjson/[>=3.0 <4]")
            self.requires("isa-l/2.30.0")
            self.requires("rapidjson/cci.20230929", visible=False)
        if self.options.tool:
            self.requires("cli11/[>=2.3 <3]", visible=False)
            self.requires("re2/20230301", visible=False)
            self.requires("zlib/[>=1.2.11 <2]", visible=False)

    def build_requirements(self):
        self.tool_requires("cmake/[>=3.25 <4]")
        self.tool_requires("pkgconf/[>=2.1 <3]")

    def generate(self):
        packages = CMakeDeps(self)
        packages.set_property("rapidjson", "cmake_additional_variables_prefixes", ["RAPIDJSON"])
        packages.generate()
        # Found as their own .pc files call them.
        modules = PkgConfigDeps(self)
        modules.set_property("isa-l", "pkg_config_name", "libisal")
        modules.generate()
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["WORKER_RUNTIME_FS_STORE"] = bool(self.options.fs_store)
        toolchain.cache_variables["WORKER_RUNTIME_CLI"] = bool(self.options.fs_store and self.options.tool)
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE", src=self.source_folder, dst=os.path.join(self.package_folder, "licenses"))
        # An installation has both kinds of library, a package one; and Conan writes these files itself.
        libraries = os.path.join(self.package_folder, "lib")
        rm(self, "*.a" if self.options.shared else "*.so*", libraries)
        rmdir(self, os.path.join(libraries, "cmake"))
        rmdir(self, os.path.join(libraries, "pkgconfig"))

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "worker_runtime")
        needs = {"core": []}
        if self.options.fs_store:
            needs["fs_store"] = ["core", "simdjson::simdjson", "isa-l::isa-l"]
            needs["c"] = ["fs_store"]
        for name, required in needs.items():
            component = self.cpp_info.components[name]
            component.set_property("cmake_target_name", f"worker_runtime::{name}")
            component.set_property("pkg_config_name", f"worker_runtime_{name}")
            component.libs = [f"worker_runtime_{name}"]
            component.requires = required
            component.system_libs = ["pthread"]
