import time, collections
from tests.browser import visitor
T=collections.Counter(); N=collections.Counter()
def wrap(name):
    f=getattr(visitor.Resident,name)
    async def g(*a,**k):
        t=time.perf_counter()
        try: return await f(*a,**k)
        finally: T[name]+=time.perf_counter()-t; N[name]+=1
    setattr(visitor.Resident,name,g)
for n in ('picture','_meet','_wait','keys','touch','_take','hears','is_there'): wrap(n)
from tests.browser.test_services import *
from tests.browser.conftest import village
async def test_zz():
    print({k:(round(v,2),N[k]) for k,v in T.items()})
    assert 0
