"""Lets a CUDA build of torchvision import beside a CPU build of torch; only its pure-torch transforms are used."""

import sys
import types

sys.modules.setdefault("torchvision._meta_registrations", types.ModuleType("torchvision._meta_registrations"))
