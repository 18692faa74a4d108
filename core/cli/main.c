#include "config.h"

#include <stdio.h>

int main(void)
{
    (void)printf("strongroom %s\n", PACKAGE_VERSION);
    return 0;
}
